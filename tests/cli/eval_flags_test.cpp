#include <gtest/gtest.h>

#include <cstdlib>

#include "cli/commands.h"
#include "core/text.h"
#include "support/errors.h"

namespace lazymar {
namespace {

using testing::contains;
using testing::refused;

EvalOptions parse(const std::string& line) {
  std::vector<std::string> words = split("lazymar_eval " + line, ' ');
  std::erase(words, "");
  std::vector<const char*> argv;
  for (const std::string& word : words) {
    argv.push_back(word.c_str());
  }
  return parse_eval_options(static_cast<int>(argv.size()), argv.data()).options;
}

TEST(EvalOptions, DefaultsAreThoseOfTheReadme) {
  const EvalOptions options = parse("");
  EXPECT_EQ(options.model.model, "mar_huge");
  EXPECT_EQ(options.num_images, 50000);
  EXPECT_EQ(options.model.seed, 1U);
  EXPECT_FALSE(options.lazy);
  const SamplingOptions sampling = resolve_sampling(options, {});
  EXPECT_EQ(sampling.num_iter, 64);
  EXPECT_EQ(sampling.cfg, 3.25);
  EXPECT_EQ(sampling.cfg_schedule, CfgSchedule::kLinear);
  EXPECT_EQ(sampling.num_sampling_steps, 100);
}

TEST(EvalOptions, TheLazyMarReadmesCommand) {
  const EvalOptions options = parse("--num_images 50000 --eval_bsz 128 --num_iter 64 --lazy_mar");
  ASSERT_TRUE(options.lazy);
  EXPECT_TRUE(options.lazy->token && options.lazy->condition && options.lazy->head);
  EXPECT_EQ(options.eval_bsz, 128);
  EXPECT_TRUE(options.ignored.empty());
}

TEST(EvalOptions, BatchAndGraphs) {
  EXPECT_FALSE(parse("").auto_batch);
  EXPECT_TRUE(parse("").cuda_graphs);
  const EvalOptions options = parse("--eval_bsz auto --cuda_graphs off --precision fp16");
  EXPECT_TRUE(options.auto_batch);
  EXPECT_FALSE(options.eval_bsz.has_value());
  EXPECT_FALSE(options.cuda_graphs);
  EXPECT_EQ(options.precision, parse_precision("fp16"));
  testing::refused([] { parse("--eval_bsz automatic"); });
  testing::refused([] { parse("--cuda_graphs 1"); });
}

TEST(EvalOptions, TheMarReadmesCommand) {
  const EvalOptions options = parse(
      "--model mar_base --diffloss_d 6 --diffloss_w 1024 --eval_bsz 256 --num_images 50000 "
      "--num_iter 256 --num_sampling_steps 100 --cfg 2.9 --cfg_schedule linear --temperature 1.0 "
      "--output_dir pretrained_models/mar/mar_base --resume pretrained_models/mar/mar_base "
      "--data_path /data/imagenet --evaluate");
  EXPECT_EQ(options.model.model, "mar_base");
  EXPECT_EQ(options.model.architecture.diffloss_w, 1024);
  EXPECT_EQ(options.cfg, 2.9);
  EXPECT_EQ(options.ignored, (std::vector<std::string>{"data_path", "evaluate"}));
}

TEST(EvalOptions, EveryFlagOfTheOriginalsIsKnown) {
  // The argument parsers of eval.py (LazyMAR) and main_mar.py (MAR) together.
  for (const char* flag : {"batch_size",
                           "epochs",
                           "model",
                           "img_size",
                           "vae_path",
                           "vae_embed_dim",
                           "vae_stride",
                           "patch_size",
                           "num_iter",
                           "output_dir",
                           "num_images",
                           "cfg",
                           "cfg_schedule",
                           "label_drop_prob",
                           "eval_freq",
                           "save_last_freq",
                           "eval_bsz",
                           "weight_decay",
                           "lr",
                           "blr",
                           "min_lr",
                           "lr_schedule",
                           "warmup_epochs",
                           "ema_rate",
                           "mask_ratio_min",
                           "grad_clip",
                           "attn_dropout",
                           "proj_dropout",
                           "buffer_size",
                           "diffloss_d",
                           "diffloss_w",
                           "num_sampling_steps",
                           "diffusion_batch_mul",
                           "temperature",
                           "data_path",
                           "class_num",
                           "log_dir",
                           "device",
                           "seed",
                           "resume",
                           "start_epoch",
                           "num_workers",
                           "world_size",
                           "local_rank",
                           "dist_url",
                           "cached_path"}) {
    const std::string value = std::string(flag) == "cfg_schedule" ? "constant" : "1";
    EXPECT_NO_THROW(parse("--" + std::string(flag) + " " + value)) << flag;
    EXPECT_NO_THROW(parse("--" + std::string(flag) + "=" + value)) << flag;
  }
  for (const char* flag : {"online_eval", "evaluate", "lazy_mar", "grad_checkpointing", "pin_mem",
                           "no_pin_mem", "dist_on_itp", "use_cached"}) {
    EXPECT_NO_THROW(parse("--" + std::string(flag))) << flag;
  }
}

TEST(EvalOptions, LazyConstants) {
  const EvalOptions options = parse(
      "--lazy_mar --lazy_caches head,token,condition --lazy_warmup 3 --lazy_refresh 4 "
      "--lazy_prune_layer 2 --lazy_extra 7 --lazy_head_refresh 5 --lazy_retain 1,0.5 "
      "--lazy_condition_scale 0");
  ASSERT_TRUE(options.lazy);
  EXPECT_TRUE(options.lazy->token && options.lazy->condition && options.lazy->head);
  EXPECT_EQ(options.lazy->warmup, 3);
  EXPECT_EQ(options.lazy->refresh, 4);
  EXPECT_EQ(options.lazy->prune_layer, 2);
  EXPECT_EQ(options.lazy->extra, 7);
  EXPECT_EQ(options.lazy->head_refresh, 5);
  EXPECT_EQ(options.lazy->retain_list.size(), 2U);
  EXPECT_EQ(options.lazy->condition_scale, 0.0);
}

TEST(EvalOptions, ConstantsOfCachesThatAreNotInUseAreRefused) {
  const std::vector<std::pair<std::string, std::string>> constants = {
      {"--lazy_warmup 3", "token or condition"},
      {"--lazy_refresh 3", "token or condition"},
      {"--lazy_prune_layer 2", "token"},
      {"--lazy_extra 2", "token"},
      {"--lazy_retain 1", "token"},
      {"--lazy_head_refresh 2", "head"},
      {"--lazy_condition_scale 0", "condition"}};
  for (const auto& [constant, caches] : constants) {
    for (const char* cache : {"token", "condition", "head"}) {
      const std::string line = concat("--lazy_mar --lazy_caches ", cache, " ", constant);
      if (contains(caches, cache)) {
        EXPECT_NO_THROW(parse(line)) << line;
      } else {
        EXPECT_TRUE(contains(refused([&] { parse(line); }), "has no effect without " + caches))
            << line;
      }
    }
  }
}

TEST(EvalOptions, CommandLineBeatsCheckpointBeatsDefault) {
  const RecommendedSampling checkpoint{1.5, CfgSchedule::kConstant};
  EXPECT_EQ(resolve_sampling(parse(""), checkpoint).cfg, 1.5);
  EXPECT_EQ(resolve_sampling(parse("--cfg 4"), checkpoint).cfg, 4.0);
  EXPECT_EQ(resolve_sampling(parse("--cfg 4"), checkpoint).cfg_schedule, CfgSchedule::kConstant);
}

TEST(EvalOptions, WhatCannotBeUsedIsRefused) {
  const auto message = [](const std::string& line) { return refused([&] { parse(line); }); };
  EXPECT_TRUE(contains(message("--num_itr 64"), "did you mean --num_iter?"));
  EXPECT_FALSE(contains(message("--completely_else 64"), "did you mean"));
  EXPECT_TRUE(contains(message("-n 3"), "unexpected argument \"-n\""));
  EXPECT_TRUE(contains(message("stray"), "stray"));
  EXPECT_TRUE(contains(message("--num_iter"), "num_iter"));
  EXPECT_TRUE(contains(message("--num_iter 0"), "from 1 to"));
  EXPECT_TRUE(contains(message("--num_iter 6x"), "whole number"));
  EXPECT_TRUE(contains(message("--num_iter 1.5"), "whole number"));
  EXPECT_TRUE(contains(message("--num_images 99999999999999999999"), "whole number"));
  EXPECT_TRUE(contains(message("--cfg nan"), "must be a number"));
  EXPECT_TRUE(contains(message("--cfg -1"), "must be a number"));
  EXPECT_TRUE(contains(message("--temperature inf"), "must be a number"));
  EXPECT_TRUE(contains(message("--num_sampling_steps ddim50"), "from 1 to 1000"));
  EXPECT_TRUE(contains(message("--cfg_schedule cosine"), "linear or constant"));
  EXPECT_TRUE(contains(message("--precision int7"), "bf16, fp16, int8, int8_fp32, fp32 or fp64"));
  EXPECT_TRUE(contains(message("--classes 1,,2"), "class numbers"));
  EXPECT_TRUE(contains(message("--classes -1"), "class numbers"));
  EXPECT_TRUE(contains(message("--classes 1,2,1"), "class 1 is there twice"));
  EXPECT_TRUE(contains(message("--output_dir="), "--output_dir is empty"));
  EXPECT_TRUE(contains(message("--lazy_mar=yes"), "--lazy_mar is a switch"));
  EXPECT_TRUE(contains(message("--lazy_mar=false"), "--lazy_mar is a switch"));
  EXPECT_TRUE(contains(message("--grid 8"), "ROWSxCOLUMNS"));
  EXPECT_TRUE(contains(message("--grid 0x8"), "ROWSxCOLUMNS"));
  EXPECT_TRUE(contains(message("--lazy_warmup 3"), "without --lazy_mar"));
  EXPECT_TRUE(contains(message("--lazy_mar --lazy_caches tokens"), "token,condition,head"));
  EXPECT_TRUE(contains(message("--lazy_mar --lazy_refresh 0"), "lazy_refresh"));
}

TEST(EvalOptions, Processes) {
  const auto parse = [](std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "lazymar_eval");
    return parse_eval_options(static_cast<int>(arguments.size()), arguments.data()).options;
  };
  const EvalOptions standard = parse({});
  EXPECT_FALSE(standard.gpus || standard.all_gpus || standard.workers);
  EXPECT_TRUE(standard.halve_on_oom);
  EXPECT_TRUE(parse({"--gpus", "all"}).all_gpus);
  EXPECT_EQ(parse({"--gpus", "3"}).gpus, 3);
  EXPECT_EQ(parse({"--workers", "3"}).workers, 3);
  EXPECT_FALSE(parse({"--oom", "fail"}).halve_on_oom);
  EXPECT_TRUE(parse({"--verify", "deep"}).verify_deep);
  EXPECT_EQ(parse({"--durability", "file"}).durability, Durability::kFile);
  EXPECT_EQ(parse({"--grace", "2.5"}).grace, 2.5);
  for (const char* flag : {"--gpus", "--workers", "--oom", "--verify", "--durability", "--grace",
                           "--stall", "--max_restarts", "--png_threads"}) {
    EXPECT_TRUE(contains(refused([&] { parse({flag, "x"}); }), flag)) << flag;
  }
}

TEST(EvalOptions, FeaturesAreThoseOfAFewImagesOfPlainMar) {
  const auto message = [](const std::string& line) { return refused([&] { parse(line); }); };
  EXPECT_EQ(parse("--num_images 64 --record_drift x").record_drift, "x");
  EXPECT_FALSE(parse("").record_drift);
  EXPECT_EQ(parse("--num_images 4 --record_drift x --record_head 16").record_head, 16);
  EXPECT_TRUE(contains(message("--num_images 4 --record_head 16"), "without --record_drift"));
  EXPECT_TRUE(
      contains(message("--num_images 4 --record_drift x --record_head 0"), "--record_head"));
  EXPECT_TRUE(contains(message("--num_images 65 --record_drift x"), "at most 64"));
  EXPECT_TRUE(contains(message("--record_drift x"), "add --num_images 16"));
  EXPECT_TRUE(contains(message("--num_images 4 --record_drift x --lazy_mar"), "leave --lazy_mar"));
  EXPECT_TRUE(contains(message("--num_images 4 --record_drift x --cache recap"), "leave --cache"));
  EXPECT_EQ(parse("--num_images 4 --record_drift x --method gtr-32").record_drift, "x");
}

TEST(EvalOptions, DashesAndUnderscoresAreEqual) {
  const EvalOptions options = parse("--num-images 3 --lazy-mar --lazy_prune-layer=2");
  EXPECT_EQ(options.num_images, 3);
  EXPECT_EQ(options.lazy->prune_layer, 2);
  EXPECT_EQ(parse("--output_dir --a-b").output_dir, "--a-b") << "a value is no name";
}

TEST(EvalOptions, EarlierNamesAreAliases) {
  EXPECT_EQ(parse("--num_images 4 --record_features x").record_drift, "x");
  EXPECT_EQ(parse("--durability block").durability, Durability::kShard);
  EXPECT_EQ(parse("--num_images 3 --num_images 5").num_images, 5) << "the last one wins";
}

TEST(EvalOptions, TheContactSheet) {
  EXPECT_FALSE(parse("").preview);
  EXPECT_FALSE(parse("").grid);
  EXPECT_TRUE(parse("--preview").preview);
  EXPECT_FALSE(parse("--preview").grid);  // 8x8 as far as there are images
  const EvalOptions both = parse("--preview --grid 3x5");
  EXPECT_TRUE(both.preview);
  EXPECT_EQ(both.grid, (std::pair<int64_t, int64_t>(3, 5)));
  EXPECT_FALSE(refused([] { parse("--preview=2"); }).empty());  // a switch
}

/// A text that says another number than an option beside it is refused, not silently preferred.
TEST(EvalOptions, NumbersOfStepsMustAgree) {
  const auto message = [](const std::string& line) { return refused([&] { parse(line); }); };
  EXPECT_TRUE(contains(message("--num_iter 20 --tokens_per_step arccos:30"),
                       "--tokens_per_step arccos:30: 30 decoding steps, but --num_iter says 20"));
  EXPECT_TRUE(contains(message("--tokens_per_step list:200,56 --num_iter 20"), "--num_iter"));
  EXPECT_TRUE(contains(message("--head_steps 50:20 --num_sampling_steps 100"),
                       "50 diffusion steps at first, but --num_sampling_steps says 100"));
  EXPECT_EQ(parse("--num_iter 30 --tokens_per_step arccos:30").sampling.num_iter, 30);
  EXPECT_EQ(parse("--num_sampling_steps 50 --head_steps 50:20").plan.head_steps, "50:20");
  // What a preset says is there to be overridden.
  EXPECT_EQ(parse("--method disa --num_iter 32").sampling.num_iter, 32);
  EXPECT_EQ(parse("--method gtr-32 --tokens_per_step stages:12,3,1").sampling.num_iter, 16);
  EXPECT_EQ(parse("--method disa --num_sampling_steps 40").plan.head_steps, "");
}

}  // namespace
}  // namespace lazymar
