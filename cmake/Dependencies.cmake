# Small libraries: the distribution's package if there is one, otherwise a pinned download.
include(FetchContent)
set(CMAKE_POLICY_VERSION_MINIMUM 3.5) # nlohmann/json 3.11 names an older one, which CMake 4 refuses

# Downloads and adds a library, pinned by its commit (a tag can be moved). The headers of the
# targets named after it become SYSTEM, so that our warnings do not apply to them.
function(lazymar_fetch name repository commit)
  message(STATUS "${name}: no package found, fetching https://github.com/${repository}")
  FetchContent_Declare(${name}
    GIT_REPOSITORY https://github.com/${repository}.git GIT_TAG ${commit})
  FetchContent_MakeAvailable(${name})
  foreach(target ${ARGN})
    get_target_property(headers ${target} INTERFACE_INCLUDE_DIRECTORIES)
    set_target_properties(${target} PROPERTIES INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${headers}")
  endforeach()
  set(${name}_SOURCE_DIR ${${name}_SOURCE_DIR} PARENT_SCOPE)
endfunction()

find_package(nlohmann_json 3.11 QUIET)
if(NOT nlohmann_json_FOUND)
  # v3.11.3
  lazymar_fetch(nlohmann_json nlohmann/json 9cca280a4d0ccf0c08f47a99aa71d1b0e52f8d03 nlohmann_json)
endif()

# stb has no CMake package: one header.
find_path(LAZYMAR_STB_DIR stb_image_write.h PATH_SUFFIXES stb)
if(NOT LAZYMAR_STB_DIR)
  # 2023-01-29, stb_image_write 1.16
  lazymar_fetch(stb nothings/stb 5736b15f7ea0ffb08dd38af21067c314d6a3aae9)
  set(LAZYMAR_STB_DIR ${stb_SOURCE_DIR} CACHE PATH "Folder of stb_image_write.h" FORCE)
endif()
add_library(lazymar_stb INTERFACE)
target_include_directories(lazymar_stb SYSTEM INTERFACE ${LAZYMAR_STB_DIR})

# libdeflate for CRC-32 at memory speed; Debian's package has no CMake file.
find_path(LAZYMAR_LIBDEFLATE_DIR libdeflate.h)
find_library(LAZYMAR_LIBDEFLATE NAMES deflate)
add_library(lazymar_libdeflate INTERFACE)
if(LAZYMAR_LIBDEFLATE_DIR AND LAZYMAR_LIBDEFLATE)
  target_include_directories(lazymar_libdeflate SYSTEM INTERFACE ${LAZYMAR_LIBDEFLATE_DIR})
  target_link_libraries(lazymar_libdeflate INTERFACE ${LAZYMAR_LIBDEFLATE})
else()
  set(LIBDEFLATE_BUILD_SHARED_LIB OFF)
  set(LIBDEFLATE_BUILD_GZIP OFF)
  # v1.23
  lazymar_fetch(libdeflate ebiggers/libdeflate 78051988f96dc8d8916310d8b24021f01bd9e102 libdeflate_static)
  target_link_libraries(lazymar_libdeflate INTERFACE libdeflate_static)
endif()

# libcrypto for SHA-256 with the processor's own instructions: OpenSSL's, or BoringSSL's, which
# CMake can build.
find_package(OpenSSL 1.1 QUIET COMPONENTS Crypto)
add_library(lazymar_crypto INTERFACE)
if(OPENSSL_FOUND)
  target_link_libraries(lazymar_crypto INTERFACE OpenSSL::Crypto)
else()
  set(BUILD_TESTING OFF)
  # 2026-08-21
  lazymar_fetch(boringssl google/boringssl a0689af29e8e460f1e5380e0fb74cef1b342e810 crypto)
  # Its other libraries and programs are neither built nor installed.
  set_property(DIRECTORY ${boringssl_SOURCE_DIR} PROPERTY EXCLUDE_FROM_ALL TRUE)
  target_link_libraries(lazymar_crypto INTERFACE crypto)
endif()

# WebP and TIFF pictures in sets to score. Without them such pictures are refused by name. They are
# the system's own and not pinned, for its security updates: decoders read untrusted files.
option(LAZYMAR_WEBP "Read WebP with libwebp 1.0 or newer, if it is there" ON)
option(LAZYMAR_TIFF "Read TIFF with libtiff 4.0 or newer, if it is there" ON)
set(lazymar_pictures "PNG, JPEG, BMP, PPM")
add_library(lazymar_webp INTERFACE)
find_path(LAZYMAR_WEBP_DIR webp/decode.h)
find_library(LAZYMAR_WEBP_LIBRARY NAMES webpdecoder webp)
find_package(PkgConfig QUIET) # libwebp's headers do not tell its version
if(PkgConfig_FOUND)
  pkg_check_modules(LIBWEBP QUIET libwebp)
endif()
if(LIBWEBP_VERSION AND LIBWEBP_VERSION VERSION_LESS 1.0)
  message(STATUS "libwebp ${LIBWEBP_VERSION} is too old: 1.0 is needed")
elseif(LAZYMAR_WEBP AND LAZYMAR_WEBP_DIR AND LAZYMAR_WEBP_LIBRARY)
  target_include_directories(lazymar_webp SYSTEM INTERFACE ${LAZYMAR_WEBP_DIR})
  target_link_libraries(lazymar_webp INTERFACE ${LAZYMAR_WEBP_LIBRARY})
  target_compile_definitions(lazymar_webp INTERFACE LAZYMAR_HAS_WEBP)
  string(APPEND lazymar_pictures ", WebP (libwebp ${LIBWEBP_VERSION})")
endif()
add_library(lazymar_tiff INTERFACE)
find_package(TIFF 4.0 QUIET)
if(LAZYMAR_TIFF AND TIFF_FOUND)
  target_link_libraries(lazymar_tiff INTERFACE TIFF::TIFF)
  target_compile_definitions(lazymar_tiff INTERFACE LAZYMAR_HAS_TIFF)
  string(APPEND lazymar_pictures ", TIFF (libtiff ${TIFF_VERSION_STRING})")
endif()
message(STATUS "Pictures that this build reads: ${lazymar_pictures}")
foreach(format WebP TIFF)
  if(NOT lazymar_pictures MATCHES "${format}")
    string(TOLOWER ${format} library)
    message(STATUS "This build cannot read ${format}: lib${library} is missing, too old or switched off")
  endif()
endforeach()

find_package(spdlog 1.10 QUIET)
if(NOT spdlog_FOUND)
  # v1.12.0
  lazymar_fetch(spdlog gabime/spdlog 7e635fca68d014934b4af8a1cf874f63989352b7 spdlog)
endif()
add_library(lazymar_spdlog INTERFACE)
target_link_libraries(lazymar_spdlog INTERFACE spdlog::spdlog)

if(LAZYMAR_TESTS)
  find_package(GTest QUIET)
  if(NOT GTest_FOUND)
    set(INSTALL_GTEST OFF)
    set(BUILD_GMOCK OFF)
    # v1.14.0
    lazymar_fetch(googletest google/googletest f8d7d77c06936315286eb55f8de22cd23c188571 gtest)
  endif()
endif()

if(LAZYMAR_FILES_ONLY)
  return()
endif()

if(LAZYMAR_BENCHMARKS)
  find_package(benchmark 1.7 QUIET)
  if(NOT benchmark_FOUND)
    set(BENCHMARK_ENABLE_TESTING OFF)
    set(BENCHMARK_ENABLE_WERROR OFF)
    set(BENCHMARK_ENABLE_INSTALL OFF)
    # v1.7.1
    lazymar_fetch(benchmark google/benchmark d572f4777349d43653b21d6c2fc63020ab326db2 benchmark)
  endif()
endif()

include(LibTorch)
