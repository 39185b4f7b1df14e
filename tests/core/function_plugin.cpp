// A shared library with a function that travels. It has no copy of Wyvern's core in it: the registry is the
// program's.

#include "core/function_plugin.hpp"

extern "C" void plugin_function(wyvern::test::PluginFunction& function);

void plugin_function(wyvern::test::PluginFunction& function) {
  function = [](int number) { return number + 1000; };
}
