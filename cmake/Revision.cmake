# Writes generated/lazymar_revision.h at build time, so that --version names the revision that was built.
# Run as a script (cmake -DSOURCE=... -DHEADER=... -P Revision.cmake) or included from CMakeLists.txt.
if(CMAKE_SCRIPT_MODE_FILE)
  execute_process(COMMAND git -C ${SOURCE} describe --always --dirty --abbrev=12
    OUTPUT_VARIABLE revision OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
  if(failed OR NOT revision)
    set(revision "unknown")
  endif()
  set(text "#pragma once\n#define LAZYMAR_REVISION \"${revision}\"\n#define LAZYMAR_VERSION \"${VERSION}\"\n")
  set(old "")
  if(EXISTS ${HEADER})
    file(READ ${HEADER} old)
  endif()
  if(NOT old STREQUAL text)
    file(WRITE ${HEADER} "${text}")
  endif()
else()
  set(LAZYMAR_REVISION_HEADER ${PROJECT_BINARY_DIR}/generated/lazymar_revision.h)
  add_custom_target(lazymar_revision BYPRODUCTS ${LAZYMAR_REVISION_HEADER}
    COMMAND ${CMAKE_COMMAND} -DSOURCE=${PROJECT_SOURCE_DIR} -DHEADER=${LAZYMAR_REVISION_HEADER}
            -DVERSION=${PROJECT_VERSION} -P ${CMAKE_CURRENT_LIST_DIR}/Revision.cmake)
endif()
