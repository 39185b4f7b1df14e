#pragma once

#include <wyvern/core/function/function.hpp>

namespace wyvern::test {

/// What function_plugin.cpp exports as "plugin_function": adds 1000.
using PluginFunction = Function<int(int)>;
using MakePluginFunction = void(PluginFunction&);

}  // namespace wyvern::test
