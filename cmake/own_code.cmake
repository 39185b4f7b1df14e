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
