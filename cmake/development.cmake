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
