#include <wyvern/channels/remote/frame_reader.hpp>
#include <wyvern/channels/remote/put_run.hpp>
#include <wyvern/core/error.hpp>

#include "fuzz/input.hpp"

// Messages between guest and home, of either: frames, or a DecodeError.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wyvern::wire;
  wyvern::test::FuzzInput input(data, size);
  const Sender sender = input.choose(2) == 0 ? Sender::guest : Sender::home;
  try {
    FrameReader reader(input.rest(), sender);
    while (const auto frame = reader.next()) {
      if (frame->kind == FrameKind::put || frame->kind == FrameKind::delivery) read_cargo(*frame);
      if (frame->kind == FrameKind::value || frame->kind == FrameKind::went_in) read_value(*frame);
      if (frame->kind == FrameKind::puts) {
        for (PutRun run(frame->body); !run.empty(); run.pop()) run.front();
      }
    }
  } catch (const wyvern::DecodeError&) {
    return 0;  // which is what most bytes are
  }
  return 0;
}
