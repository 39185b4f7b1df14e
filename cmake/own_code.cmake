# wyvern_own_code(<target>): the warnings that this project's own code must not cause. They are private to the
# target, and off when Wyvern is part of somebody else's build, where a newer compiler's new warning must not stop
# anyone.
function(wyvern_own_code target)
  if(PROJECT_IS_TOP_LEVEL)
    target_compile_options(${target} PRIVATE
      -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror
      # g++ leaves sign conversions out of -Wconversion; clang has to do the same to agree with it.
      $<$<CXX_COMPILER_ID:Clang>:-Wno-sign-conversion>)
  endif()
endfunction()

# wyvern_installed_code(<target>): the same for what is installed, which names no folder of this build either: where
# there is debugging information, paths are relative to the source or the build folder. A debugger's build keeps them.
function(wyvern_installed_code target)
  wyvern_own_code(${target})
  if(PROJECT_IS_TOP_LEVEL)
    target_compile_options(${target} PRIVATE
      $<$<NOT:$<CONFIG:Debug>>:-ffile-prefix-map=${PROJECT_SOURCE_DIR}=.>
      # The build folder may be in the other: the last one that fits counts.
      $<$<NOT:$<CONFIG:Debug>>:-ffile-prefix-map=${PROJECT_BINARY_DIR}=.>)
  endif()
endfunction()
