#include <poll.h>
#include <signal.h>

#include <utility>

#include <wyvern/core/error.hpp>
#include <wyvern/runtime/member/socket_agent_link.hpp>
#include <wyvern/runtime/protocol/network_plan.hpp>
#include <wyvern/runtime/protocol/seqpacket.hpp>

namespace wyvern {
namespace {

[[noreturn]] void throw_agent_died(const std::string& agent) {
  throw NodeLost(agent + " has died or has closed the connection: this process's node is lost");
}

[[noreturn]] void throw_no_answer(const std::string& agent) {
  throw NodeLost(agent + " does not answer (waited " + std::to_string(SocketAgentLink::answer_limit.count()) +
                 " s); is it stopped, or is the machine overloaded?");
}

[[noreturn]] void throw_no_descriptors(const std::string& what) {
  throw OutOfMemory(what +
                    " cannot be taken: this process has as many files open as it may (RLIMIT_NOFILE); " +
                    "close some, or raise the limit (ulimit -n)");
}

template <std::size_t size>
void write_name(char (&field)[size], const std::string& name) {
  if (name.size() >= size || name.find('\0') != std::string::npos) {
    throw InvalidArgument("the name of a queue has " + std::to_string(name.size()) + " characters, at most " +
                          std::to_string(size - 1) + " are possible, and no zero");
  }
  control::write_text(field, name);
}

}  // namespace

void SocketAgentLink::exchange(std::span<const std::byte> request, std::span<const int> descriptors,
                               std::uint32_t serial, control::Packet& packet, bool patient) {
  const Deadline deadline = patient ? Deadline::never() : Deadline::after(answer_limit);
  const int socket = socket_.get();
  while (true) {
    const control::Transfer sent = control::send_packet(socket, request, descriptors);
    if (sent == control::Transfer::done) break;
    // Closed may mean that a last word of the agent waits to be read: it failed to come up.
    if (sent == control::Transfer::closed) break;
    if (!control::wait_until_ready(socket, POLLOUT, deadline)) throw_no_answer(agent_name_);
  }
  while (true) {
    control::Transfer received = control::receive_packet(socket, packet);
    // Of an agent that has left the request unread the kernel says that first, and then gives its last word.
    if (received == control::Transfer::closed) received = control::receive_packet(socket, packet);
    if (received == control::Transfer::closed) throw_agent_died(agent_name_);
    if (received == control::Transfer::would_block) {
      if (!control::wait_until_ready(socket, POLLIN, deadline)) throw_no_answer(agent_name_);
      continue;
    }
    const std::uint32_t answered = control::header_of(packet).serial;
    if (answered == serial || answered == 0) return;  // 0: the agent did not come up
    // Otherwise the late answer to a request that was given up.
  }
}

template <class Request, class Read>
auto SocketAgentLink::ask_and_read(Request& request, std::span<const int> descriptors, bool patient,
                                   Read read_answer) {
  const std::lock_guard lock(mutex_);
  request.header.serial = ++serial_;
  control::Packet packet;
  try {
    exchange(std::as_bytes(std::span(&request, 1)), descriptors, request.header.serial, packet, patient);
    control::throw_if_failed(packet);
    return read_answer(packet);
  } catch (const control::Malformed& error) {
    throw NodeLost(agent_name_ + " sent a malformed answer: " + error.what());
  }
}

template <class Answer, class Request>
Answer SocketAgentLink::ask(Request& request, std::span<const int> descriptors, bool patient) {
  return ask_and_read(request, descriptors, patient,
                      [](const control::Packet& packet) { return control::read_message<Answer>(packet); });
}

SocketAgentLink::Admission SocketAgentLink::attach(const control::Ticket& ticket, std::uint64_t layout_hash) {
  const std::lock_guard lock(mutex_);
  auto request = control::make_message<control::Attach>(++serial_);
  request.layout_hash = layout_hash;
  request.ticket_key = ticket.key;
  request.ticket_sequence = ticket.sequence;
  control::Packet packet;
  try {
    exchange(std::as_bytes(std::span(&request, 1)), {}, serial_, packet, /*patient=*/false);
    control::throw_if_failed(packet);
    if (packet.lacks_descriptors) throw_no_descriptors("the shared memory of its node");
    Admission admission;
    const std::size_t with_payload = packet.descriptors.size() == 3 ? 1 : 0;
    admission.message = control::read_message<control::Attached>(packet, 2 + with_payload);
    if (admission.message.has_payload != with_payload)
      throw control::Malformed("it comes without its payload");
    agent_name_ = "the agent of node " + std::to_string(Puid(admission.message.puid).node());
    admission.segment = std::move(packet.descriptors[0]);
    admission.agent_pidfd = std::move(packet.descriptors[1]);
    if (with_payload != 0) admission.payload = std::move(packet.descriptors[2]);
    return admission;
  } catch (const control::Malformed& error) {
    throw VersionMismatch(agent_name_ +
                          " sent an answer that this program does not understand: " + error.what() +
                          "; build the program and the launcher from the same version of wyvern");
  }
}

template <class Request>
ObjectReference SocketAgentLink::ask_for_object(Request& request) {
  const auto answer = ask<control::Object>(request);
  return {.id = ObjectId(answer.object_id), .index = answer.object_index};
}

ObjectReference SocketAgentLink::create_channel(const ChannelSpec& spec) {
  auto request = control::make_message<control::CreateChannel>(0);
  request.capacity = spec.capacity;
  request.inline_size = spec.inline_size;
  request.max_bytes = spec.max_bytes;
  request.type_hash = spec.type_hash;
  request.dead_letters_id = spec.dead_letters.id.value();
  request.dead_letters_index = spec.dead_letters.index;
  request.max_deliveries = spec.max_deliveries;
  request.window = spec.window;
  request.prefetch = spec.prefetch;
  control::write_text(request.type_name, spec.type_name);
  write_name(request.name, spec.name);
  return ask_for_object(request);
}

std::optional<ObjectReference> SocketAgentLink::find_object(const std::string& name) {
  auto request = control::make_message<control::FindObject>(0);
  write_name(request.name, name);
  const ObjectReference found = ask_for_object(request);
  return found.id ? std::optional(found) : std::nullopt;
}

void SocketAgentLink::grow_ports(ObjectReference channel) {
  auto request = control::make_message<control::GrowPorts>(0);
  request.object_id = channel.id.value();
  request.object_index = channel.index;
  ask<control::Done>(request);
}

void SocketAgentLink::grow_extents(std::uint32_t size_class) {
  auto request = control::make_message<control::GrowExtents>(0);
  request.size_class = size_class;
  ask<control::Done>(request);
}

void SocketAgentLink::attend(ObjectReference object) noexcept {
  auto message = control::make_message<control::Attend>(0);
  message.object_id = object.id.value();
  message.object_index = object.index;
  // A hint: if it cannot be sent now, the end of this process says the same.
  control::send_message(socket_.get(), message);
}

std::optional<NetworkPlan> SocketAgentLink::network() {
  auto request = control::make_message<control::AskNetwork>(0);
  return ask_and_read(request, {}, /*patient=*/false,
                      [](const control::Packet& packet) -> std::optional<NetworkPlan> {
                        if (packet.lacks_descriptors) throw_no_descriptors("the addresses of other nodes");
                        const std::size_t plans = packet.descriptors.size() == 1 ? 1 : 0;
                        control::read_message<control::Network>(packet, plans);
                        if (plans == 0) return std::nullopt;
                        return control::read_network_plan(packet.descriptors[0].get());
                      });
}

SocketAgentLink::Started SocketAgentLink::start(const FileDescriptor& payload,
                                                const FileDescriptor& executable,
                                                const FileDescriptor& directory, std::size_t piped) {
  auto request = control::make_message<control::Start>(0);
  const int descriptors[] = {payload.get(), executable.get(), directory.get()};
  auto started = ask_and_read(request, descriptors, /*patient=*/false, [piped](control::Packet& packet) {
    const std::size_t taken = packet.lacks_descriptors ? packet.descriptors.size() : piped;
    const auto answer = control::read_message<control::Started>(packet, taken);
    return Started{.puid = Puid(answer.puid), .piped = std::move(packet.descriptors)};
  });
  if (started.piped.size() == piped) return started;
  send_signal(started.puid, SIGKILL);  // nobody would learn of it, nor end it
  throw_no_descriptors("the pipes of a process that was started, and is killed,");
}

void SocketAgentLink::send_signal(Puid process, int signal) {
  auto request = control::make_message<control::SignalProcess>(0);
  request.puid = process.value();
  request.signal = static_cast<std::uint32_t>(signal);
  ask<control::Done>(request);
}

void SocketAgentLink::detach(Puid process) {
  auto request = control::make_message<control::Detach>(0);
  request.puid = process.value();
  ask<control::Done>(request);
}

void SocketAgentLink::say_ready() noexcept {
  control::send_message(socket_.get(), control::make_message<control::Ready>(0));
}

void SocketAgentLink::leave(int status) {
  auto request = control::make_message<control::Leave>(0);
  request.status = status;
  request.wait = 1;
  ask<control::Done>(request, {}, /*patient=*/true);
}

void SocketAgentLink::leave_early(int status) noexcept {
  auto message = control::make_message<control::Leave>(0);
  message.status = status;
  control::send_message(socket_.get(), message);
}

bool SocketAgentLink::wait_for_end(Deadline deadline) noexcept {
  control::Packet packet;
  try {
    while (control::wait_until_ready(socket_.get(), POLLIN, deadline)) {
      if (control::receive_packet(socket_.get(), packet) == control::Transfer::closed) return true;
    }
  } catch (const control::Malformed&) {
    // No agent of ours speaks so: nothing to wait for.
  }
  return false;
}

}  // namespace wyvern
