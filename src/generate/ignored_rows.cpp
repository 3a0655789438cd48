#include "generate/ignored_rows.h"

#include "core/text.h"

namespace lazymar {

OptionTable<EvalOptions> ignored_rows() {
  using E = EvalOptions;
  OptionTable<E> rows;
  const auto add = [&](const std::string& name, const char* value) {
    OptionField<E> field;
    field.read = [name](E& options, const std::string&) { options.ignored.push_back(name); };
    field.value = [](const E&) { return OptionValue(); };
    rows.push_back({{.name = name, .value = value, .hidden = true}, field});
  };
  for (const std::string& name :
       split("data_path,batch_size,epochs,label_drop_prob,eval_freq,save_last_freq,weight_decay,lr,"
             "blr,min_lr,lr_schedule,ema_rate,grad_clip,warmup_epochs,mask_ratio_min,attn_dropout,"
             "proj_dropout,log_dir,start_epoch,diffusion_batch_mul,num_workers,world_size,"
             "local_rank,dist_url,cached_path",
             ',')) {
    add(name, "X");
  }
  for (const char* name : {"online_eval", "evaluate", "grad_checkpointing", "pin_mem", "no_pin_mem",
                           "dist_on_itp", "use_cached"}) {
    add(name, "");
  }
  return rows;
}

}  // namespace lazymar
