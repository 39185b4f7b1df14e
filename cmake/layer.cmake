# A layer is the static library wyvern_<name> (for users wyvern::<name>) made from the folder that calls this:
#
#   wyvern_add_layer(channels
#     BELOW core                   the one layer under it
#     SOURCES queue.cpp ...        relative to the calling folder
#     PUBLIC cereal::cereal ...    libraries that its headers include
#     PRIVATE fmt::fmt ...         libraries that only its sources include
#     TESTING loopback.cpp ...)    stand-ins for tests of the layers above: in wyvern_<name>_testing, which no
#                                  program of users links; their headers stand beside the others
#
# Headers stand beside the sources and are included as <wyvern/<name>/...>. A link in the build folder makes
# that work; every layer has an include root of its own, so including a layer that is not linked does not
# compile.
#
# When tests are built there is also wyvern_<name>_crash: the same sources with the crash points in them.
function(wyvern_add_layer name)
  cmake_parse_arguments(PARSE_ARGV 1 layer "" "BELOW" "SOURCES;PUBLIC;PRIVATE;TESTING")

  set(include_root ${PROJECT_BINARY_DIR}/include/${name})
  file(MAKE_DIRECTORY ${include_root}/wyvern)
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${include_root}/wyvern/${name} SYMBOLIC)

  _wyvern_layer_library(wyvern_${name} "")
  add_library(wyvern::${name} ALIAS wyvern_${name})

  if(WYVERN_TESTS)
    _wyvern_layer_library(wyvern_${name}_crash _crash)
    target_compile_definitions(wyvern_${name}_crash PUBLIC WYVERN_CRASH_POINTS)
    set_target_properties(wyvern_${name}_crash PROPERTIES EXCLUDE_FROM_ALL ON)  # built when a test links it
  endif()
  if(layer_TESTING AND (WYVERN_TESTS OR WYVERN_FUZZ))
    add_library(wyvern_${name}_testing STATIC EXCLUDE_FROM_ALL ${layer_TESTING})
    target_link_libraries(wyvern_${name}_testing PUBLIC wyvern_${name})
    wyvern_own_code(wyvern_${name}_testing)
  endif()
endfunction()

# One of the two libraries of a layer; uses the arguments that its caller has parsed.
function(_wyvern_layer_library target variant)
  add_library(${target} STATIC ${layer_SOURCES})
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_include_directories(${target} PUBLIC $<BUILD_INTERFACE:${include_root}>)
  target_link_libraries(${target} PUBLIC ${layer_PUBLIC} PRIVATE ${layer_PRIVATE})
  if(layer_BELOW)
    target_link_libraries(${target} PUBLIC wyvern_${layer_BELOW}${variant})
  endif()
  wyvern_installed_code(${target})
  if(COMMAND wyvern_precompile)
    wyvern_precompile(${target} ${WYVERN_LAYER_HEADERS})
  endif()

  # A program that linked both variants would have every function twice: an error of the configure step.
  set_target_properties(${target} PROPERTIES
    INTERFACE_WYVERN_VARIANT "variant${variant}"
    COMPATIBLE_INTERFACE_STRING WYVERN_VARIANT)
endfunction()
