# Settings for working on Wyvern itself; not read when Wyvern is part of another build.
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)

find_program(WYVERN_CCACHE ccache)
if(WYVERN_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${WYVERN_CCACHE})
endif()
