// Built without libwebp and libtiff, as on a machine that lacks them.
#include <gtest/gtest.h>

#include <filesystem>

#include "files/mapped_file.h"
#include "formats/image.h"

namespace lazymar {
namespace {

TEST(MissingLibraries, AreNamed) {
  for (const auto& [name, library] :
       {std::pair{"colours.webp", "libwebp"}, {"colours.tif", "libtiff"}}) {
    const MappedFile file(std::filesystem::path(LAZYMAR_SOURCE_DIR) / "tests/data/images" / name);
    EXPECT_FALSE(decode_image(file.bytes())) << name;
    EXPECT_NE(why_not_decoded(file.bytes()).find(std::string("without ") + library),
              std::string::npos);
  }
  const MappedFile png(std::filesystem::path(LAZYMAR_SOURCE_DIR) / "tests/data/images/colours.png");
  EXPECT_TRUE(decode_image(png.bytes()));
}

}  // namespace
}  // namespace lazymar
