#pragma once

/// Everything that a program needs which uses Wyvern.

#include <wyvern/channels/channel.hpp>
#include <wyvern/channels/queue.hpp>
#include <wyvern/channels/select.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/core/fiber/fiber.hpp>
#include <wyvern/core/function/function.hpp>
#include <wyvern/core/puid.hpp>
#include <wyvern/runtime/process.hpp>
#include <wyvern/runtime/process_options.hpp>
#include <wyvern/runtime/process_wait.hpp>
#include <wyvern/runtime/run.hpp>
#include <wyvern/runtime/runtime.hpp>
#include <wyvern/runtime/standard_stream.hpp>
#include <wyvern/runtime/this_process.hpp>
