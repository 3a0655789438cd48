#include "cli/program.h"

namespace lazymar {

const Program& eval_program() {
  static const Program program{
      "lazymar_eval",
      "Generates class-conditional images with MAR, or with LazyMAR's caches.",
      "",
      {{"lazymar_eval --model demo --lazy_mar --num_images 40 --grid 4x10",
        "Draw 40 images with the demo model, and a contact sheet."},
       {"lazymar_eval --model demo --num_images 40", "Draw the same images without the caches."},
       {"lazymar_eval --model mar_huge --lazy_mar",
        "Draw 50000 images for FID. The same command resumes the run."}}};
  return program;
}

const Program& score_program() {
  static const Program program{
      "lazymar_score",
      "Scores sets of images: FID, Inception Score, KID, precision and recall.",
      "SET...",
      {{"lazymar_eval --model demo --lazy_mar --num_images 40", "Draw a set to score."},
       {"lazymar_score output/demo/iter64_lazy_n40 --extractor demo --fid "
        "pretrained_models/demo_stats.npz",
        "Score it against the demo's training images."},
       {"lazymar_score BASELINE_RUN LAZY_RUN --fid adm_in256_stats.npz",
        "Score two runs, and the second one also against the first."}}};
  return program;
}

const Program& compare_program() {
  static const Program program{
      "lazymar_compare",
      "Compares runs with a baseline: similarity of images, time, work.",
      "BASELINE_RUN RUN...",
      {{"for caches in '' --lazy_mar; do lazymar_eval --model demo --num_images 16 $caches; done",
        "Draw the same images without and with the caches."},
       {"lazymar_compare output/demo/iter64_baseline_n16 output/demo/iter64_lazy_n16",
        "Compare them, and write a report."},
       {"lazymar_compare --drift DIR --suggest_schedule 0.05",
        "Print a list for --lazy_retain from recorded drift."}}};
  return program;
}

const Program& bench_program() {
  static const Program program{
      "lazymar_bench",
      "Times MAR against LazyMAR, or any settings against each other, in turns.",
      "",
      {{"lazymar_bench --models demo --num_iter 16", "Time both methods with the demo model."},
       {"lazymar_bench --models mar_base --random_weights --sample_steps 1",
        "Estimate the latency of a large model without its checkpoint."},
       {"lazymar_bench --models demo --arms \"lazy; lazy --lazy_refresh 5 --precision fp32\"",
        "Compare settings with each other."}}};
  return program;
}

const Program& verify_program() {
  static const Program program{
      "lazymar_verify",
      "Replays a trace of the original and compares every tensor.",
      "",
      {{"lazymar_verify --trace tests/data/traces/small-lazy", "Replay a trace in fp64."},
       {"lazymar_verify --trace tests/data/traces/small-lazy --precision fp32",
        "Replay it as images are usually drawn."}}};
  return program;
}

const Program& convert_program() {
  static const Program program{
      "lazymar_convert",
      "Converts a checkpoint (.pth, .ckpt or safetensors) to safetensors, or lists it.",
      "IN OUT.safetensors | --list FILE",
      {{"lazymar_convert --list pretrained_models/mar/demo/checkpoint-last.safetensors",
        "List the tensors of a checkpoint."},
       {"lazymar_convert pretrained_models/vae/demo.safetensors vae-bf16.safetensors --dtype bf16",
        "Write a checkpoint in half precision."}}};
  return program;
}

const Program& doctor_program() {
  static const Program program{
      "lazymar doctor",
      "Examines what a run would use on this machine, and what would stop it.",
      "",
      {{"lazymar doctor", "Examine this machine and the weights that are here."},
       {"lazymar doctor --output_dir /scratch/fid --device cuda",
        "Examine whether a run with these options can start."}},
      /*works_alone=*/true};
  return program;
}

}  // namespace lazymar
