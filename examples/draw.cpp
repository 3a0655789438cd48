// Draws four images with the demo model and writes them as PPM files. Build it with
// examples/CMakeLists.txt, against an installed lazymar.
#include <lazymar/lazymar.h>

#include <fstream>
#include <iostream>

int main(int argc, char** argv) {
  try {
    lazymar::Model model = lazymar::Model::open(argc > 1 ? argv[1] : "demo");
    lazymar::SampleOptions options;
    options.method = "lazymar";
    options.options = {{"num_iter", "16"}};
    options.progress = [](double done) {
      std::cerr << static_cast<int>(100 * done) << " %\r";
      return true;
    };
    // [4, 3, H, W] RGB bytes -> [4, H, W, 3], as the file format has them.
    const at::Tensor images = model.sample({0, 1, 2, 3}, {}, options).permute({0, 2, 3, 1});
    for (int64_t i = 0; i < images.size(0); ++i) {
      const at::Tensor image = images[i].contiguous();
      std::ofstream file("image" + std::to_string(i) + ".ppm", std::ios::binary);
      file << "P6\n" << image.size(1) << ' ' << image.size(0) << "\n255\n";
      file.write(static_cast<const char*>(image.const_data_ptr()), image.numel());
    }
  } catch (const lazymar::RefusedError& error) {
    std::cerr << "draw: " << error.what() << '\n';
    return 2;
  }
}
