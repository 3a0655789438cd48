#pragma once
/// What the numbers in an array of images mean.

#include <filesystem>
#include <string>
#include <vector>

#include "core/error.h"
#include "formats/npz.h"

namespace lazymar {

/// Pixels are round((value + offset) * scale).
struct Levels {
  double offset = 0, scale = 1;
};

/// What to save in place of an array x, as NumPy says it, if x has a certain meaning.
struct NumpyLine {
  std::string arguments;     ///< of np.savez, after the name of the file
  std::string meaning = {};  ///< "-1 to 1"; empty if there is only one
};

/// The refusal of an array: `what` is wrong, and the lines of NumPy that mend it, one for each
/// meaning.
Error refused_array(const std::filesystem::path& path, const std::string& name,
                    const std::string& what, const std::vector<NumpyLine>& lines);

/// Levels of 0 to 255 from integers or whole floats of that range, and from floats that lie in
/// 0..1 or -1..1 and come near both ends. Throws Error (usage) for anything else, and for arrays
/// that hold only 0 and 1: what was found, and lines of NumPy. No such line changes the images if
/// they have the meaning that it names: only values that leave a range by a twentieth are clipped.
Levels find_levels(const NpyArray& array, bool channels_last, const std::filesystem::path& path,
                   const std::string& name);

}  // namespace lazymar
