# lazymar_torch_release(FOLDER RESULT): the major and minor version of the LibTorch there, such as
# 2.11, from its headers; "unknown" if they do not tell.
function(lazymar_torch_release folder result)
  set(release unknown)
  foreach(header torch/headeronly/version.h torch/csrc/api/include/torch/version.h)
    if(release STREQUAL unknown AND EXISTS ${folder}/include/${header})
      file(STRINGS ${folder}/include/${header} lines REGEX "TORCH_VERSION_(MAJOR|MINOR) [0-9]+")
      if("${lines}" MATCHES "MAJOR ([0-9]+).*MINOR ([0-9]+)")
        set(release ${CMAKE_MATCH_1}.${CMAKE_MATCH_2})
      endif()
    endif()
  endforeach()
  set(${result} "${release}" PARENT_SCOPE)
endfunction()
