# Settings for working on Wyvern itself; not read when Wyvern is part of another build.
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)

# What one clone has compiled another need not: paths below the project do not count. The last setting is for
# precompiled headers, which are known by their content then.
find_program(WYVERN_CCACHE ccache)
if(WYVERN_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
    CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${WYVERN_CCACHE})
endif()

# wyvern_precompile(<target> <header>...): reads headers that most of its sources include once. What users build does
# without, and so does the check that each header compiles alone: a missing include does not stay unseen.
function(wyvern_precompile target)
  target_precompile_headers(${target} PRIVATE ${ARGN})
endfunction()

# What nearly every source of a layer reads: up to a third of the time that it takes to compile them.
set(WYVERN_LAYER_HEADERS <algorithm> <chrono> <exception> <functional> <memory> <mutex> <optional> <span> <string>
  <string_view> <thread> <utility> <variant> <vector>)
