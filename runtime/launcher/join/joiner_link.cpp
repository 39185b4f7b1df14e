#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <span>
#include <utility>

#include <wyvern/core/deadline.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/runtime/launcher/join/joiner_link.hpp>
#include <wyvern/runtime/protocol/packet.hpp>
#include <wyvern/runtime/protocol/seqpacket.hpp>

namespace wyvern::launcher {
namespace {

/// For an agent to answer.
constexpr std::chrono::seconds patience{10};

}  // namespace

JoinerLink::JoinerLink(const std::string& socket_name)
    : socket_name_(socket_name), socket_(control::connect_to(socket_name, patience)) {
  const uid_t owner = control::peer_of(socket_.get()).uid;
  if (owner != ::geteuid())
    throw NotFound("who listens in the place of the job's agent is user " + std::to_string(owner) +
                   ", not this one");
}

JoinerLink::Admission JoinerLink::join() {
  const auto request = control::make_message<control::Join>(1);
  const Deadline deadline = Deadline::after(patience);
  control::send_message(socket_.get(), request);
  try {
    control::Packet packet;
    while (true) {
      const control::Transfer received = control::receive_packet(socket_.get(), packet);
      if (received == control::Transfer::done) break;
      if (received == control::Transfer::closed)
        throw NodeLost("the job has ended, or its agent has refused the connection");
      if (!control::wait_until_ready(socket_.get(), POLLIN, deadline)) {
        throw NodeLost("the job's agent does not answer (waited " + std::to_string(patience.count()) +
                       " s); is it stopped? `wyvern doctor` says so");
      }
    }
    control::throw_if_failed(packet);
    const auto answer = control::read_message<control::Joined>(packet, 1);
    const Puid puid(answer.puid);
    return {.puid = puid,
            .ticket = {.key = answer.ticket_key, .sequence = puid.sequence()},
            .agent_pidfd = std::move(packet.descriptors[0])};
  } catch (const control::Malformed& error) {
    throw VersionMismatch(
        "the job's agent sent an answer that this command does not understand: " + std::string(error.what()) +
        "; use the command of the version that has begun the job");
  }
}

void JoinerLink::say_runs(pid_t program, const FileDescriptor& pidfd) {
  auto message = control::make_message<control::ProgramRuns>(0);
  message.pid = static_cast<std::uint32_t>(program);
  const int descriptors[] = {pidfd.get()};
  control::send_message(socket_.get(), message, descriptors);
}

void JoinerLink::say_ended(std::int32_t status) {
  auto message = control::make_message<control::ProgramEnded>(0);
  message.status = status;
  control::send_message(socket_.get(), message);
}

}  // namespace wyvern::launcher
