// What MemberServer does for each request.

#include <signal.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <wyvern/channels/ring_layout.hpp>
#include <wyvern/core/error.hpp>
#include <wyvern/runtime/agent/member_server.hpp>

namespace wyvern::agent {
namespace {

/// Sends the answer. A client that does not read its answers breaks the protocol: it has asked one thing at a
/// time.
template <class Message>
void answer(int socket, const Message& message, std::span<const int> descriptors = {}) {
  if (control::send_message(socket, message, descriptors) == control::Transfer::would_block) {
    throw control::Malformed("it does not read its answers");
  }
}

template <class Request>
void answer_done(int socket, const Request& request) {
  answer(socket, control::make_message<control::Done>(request.header.serial));
}

template <class Request>
void answer_object(int socket, const Request& request, const std::optional<ObjectReference>& object) {
  auto message = control::make_message<control::Object>(request.header.serial);
  if (object) {
    message.object_id = object->id.value();
    message.object_index = object->index;
  }
  answer(socket, message);
}

/// The object that a request names. An index out of range is malformed; an id that is no longer right is not:
/// the object may have gone in the meantime, which is for the keeper to see.
template <class Request>
ObjectReference object_of(const Request& request) {
  if (request.object_index >= max_objects) throw control::Malformed("it names an object that cannot be");
  return {.id = ObjectId(request.object_id), .index = request.object_index};
}

}  // namespace

bool MemberServer::dispatch(ClientId id, Client& client, control::Packet& packet) {
  using control::MessageKind;
  const MessageKind kind = control::header_of(packet).kind;
  if (kind == MessageKind::attach) {
    attach(client, packet);
    return true;
  }
  switch (kind) {
    case MessageKind::join: join(client, packet); return true;
    case MessageKind::program_runs: program_runs(client, packet); return true;
    case MessageKind::program_ended: program_ended(client, packet); return true;
    default: break;
  }
  if (!client.process) throw control::Malformed("it asks before it has attached");
  JobProcess* process = processes_.find(client.process);
  // What a process said just before its death may be read after that was noticed.
  if (process == nullptr || !process->index || process->member != client.peer.pid) return false;

  switch (kind) {
    case MessageKind::create_channel: create_channel(client, *process, packet); break;
    case MessageKind::find_object: find_object(client, *process, packet); break;
    case MessageKind::grow_ports: grow_ports(client, packet); break;
    case MessageKind::grow_extents: grow_extents(client, packet); break;
    case MessageKind::attend: attend(packet); break;
    case MessageKind::start: start(client, *process, packet); break;
    case MessageKind::signal_process: send_signal(client, packet); break;
    case MessageKind::detach: detach(client, packet); break;
    case MessageKind::leave: leave(id, *process, packet); break;
    case MessageKind::ready: process->is_ready = true; break;
    case MessageKind::ask_network: answer_network(client, packet); break;
    default: throw control::Malformed("it is no request");
  }
  return true;
}

void MemberServer::attach(Client& client, const control::Packet& packet) {
  const auto request = control::read_message<control::Attach>(packet);
  if (client.process) throw control::Malformed("it attaches twice");
  if (request.layout_hash != channels_layout_hash) {
    throw VersionMismatch(
        fmt::format("the program was built for shared memory of layout {:016x}, the node's agent for "
                    "{:016x}; build the program and "
                    "the launcher from the same version of wyvern",
                    request.layout_hash, channels_layout_hash));
  }
  const control::Ticket ticket{.key = request.ticket_key, .sequence = request.ticket_sequence};
  const JobProcess& process = processes_.attach(ticket, std::move(client.peer));
  client.process = process.puid;

  auto message = control::make_message<control::Attached>(request.header.serial);
  message.puid = process.puid.value();
  message.parent = process.parent.value();
  message.process_index = *process.index;
  message.agent_pid = static_cast<std::uint32_t>(::getpid());
  message.has_payload = process.payload ? 1 : 0;
  const int descriptors[] = {keeper_.segment().fd(), agent_pidfd_, process.payload.get()};
  answer(client.socket.get(), message, std::span(descriptors).first(process.payload ? 3 : 2));
}

void MemberServer::join(Client& client, control::Packet& packet) {
  const auto request = control::read_message<control::Join>(packet);
  if (client.early_join) throw control::Malformed("it asks twice");
  if (client.process || client.joiner_of) throw control::Malformed("it is a process of the job already");
  if (hooks_.refuses_starts())
    throw SpawnFailed("the job is coming to its end: no process joins it any more");
  if (!lets_join_) {
    client.early_join = std::make_unique<control::Packet>(std::move(packet));
    return;
  }
  const JobProcess& process = processes_.join();
  client.joiner_of = process.puid;
  auto message = control::make_message<control::Joined>(request.header.serial);
  message.puid = process.puid.value();
  message.ticket_key = process.ticket.key;
  answer(client.socket.get(), message, std::span(&agent_pidfd_, 1));
}

void MemberServer::program_runs(const Client& client, control::Packet& packet) {
  const auto request = control::read_message<control::ProgramRuns>(packet, 1);
  JobProcess* const process = processes_.find(client.joiner_of);
  if (!client.joiner_of || process == nullptr) throw control::Malformed("it has nobody who joined");
  processes_.joined_runs(*process, static_cast<pid_t>(request.pid), std::move(packet.descriptors[0]));
}

void MemberServer::program_ended(const Client& client, const control::Packet& packet) {
  const auto request = control::read_message<control::ProgramEnded>(packet);
  JobProcess* const process = processes_.find(client.joiner_of);
  if (!client.joiner_of) throw control::Malformed("it has nobody who joined");
  if (process == nullptr || process->ended)
    return;  // it was stopped, and its program's end noticed without it
  processes_.joined_ended(*process, request.status);
}

void MemberServer::create_channel(Client& client, const JobProcess& process, const control::Packet& packet) {
  const auto request = control::read_message<control::CreateChannel>(packet);
  const ChannelSpec spec{
      .capacity = request.capacity,
      .inline_size = request.inline_size,
      .max_bytes = request.max_bytes,
      .type_hash = request.type_hash,
      .max_deliveries = request.max_deliveries,
      .window = request.window,
      .prefetch = request.prefetch,
      .dead_letters = {.id = ObjectId(request.dead_letters_id), .index = request.dead_letters_index},
      .type_name = control::read_text(request.type_name),
      .name = control::read_text(request.name)};
  names_.check_is_free(spec.name);
  answer_object(client.socket.get(), request, keeper_.create_channel(*process.index, spec));
}

void MemberServer::find_object(Client& client, const JobProcess& process, const control::Packet& packet) {
  const auto request = control::read_message<control::FindObject>(packet);
  const std::string name = control::read_text(request.name);
  const auto own = keeper_.find_object(*process.index, name);
  answer_object(client.socket.get(), request, own ? own : names_.find_of_other_nodes(name));
}

void MemberServer::grow_ports(Client& client, const control::Packet& packet) {
  const auto request = control::read_message<control::GrowPorts>(packet);
  keeper_.grow_ports(object_of(request));
  answer_done(client.socket.get(), request);
}

void MemberServer::grow_extents(Client& client, const control::Packet& packet) {
  const auto request = control::read_message<control::GrowExtents>(packet);
  if (request.size_class >= max_extent_classes) throw control::Malformed("it names a size that cannot be");
  keeper_.grow_extents(request.size_class);
  answer_done(client.socket.get(), request);
}

void MemberServer::attend(const control::Packet& packet) {
  keeper_.attend(object_of(control::read_message<control::Attend>(packet)));
}

void MemberServer::start(Client& client, const JobProcess& process, control::Packet& packet) {
  const auto request = control::read_message<control::Start>(packet, 3);
  if (hooks_.refuses_starts())
    throw SpawnFailed("the job is coming to its end: no process is started any more");
  const JobProcesses::Started started = processes_.start(process.puid, std::move(packet.descriptors[0]),
                                                         packet.descriptors[1], packet.descriptors[2]);
  auto message = control::make_message<control::Started>(request.header.serial);
  message.puid = started.puid.value();
  std::vector<int> descriptors;
  descriptors.reserve(started.piped.size());
  for (const FileDescriptor& piped : started.piped) descriptors.push_back(piped.get());
  answer(client.socket.get(), message, descriptors);
}

void MemberServer::send_signal(Client& client, const control::Packet& packet) {
  const auto request = control::read_message<control::SignalProcess>(packet);
  if (request.signal >= static_cast<std::uint32_t>(NSIG))
    throw control::Malformed("it names a signal that cannot be");
  processes_.send_signal(Puid(request.puid), static_cast<int>(request.signal));
  answer_done(client.socket.get(), request);
}

void MemberServer::detach(Client& client, const control::Packet& packet) {
  const auto request = control::read_message<control::Detach>(packet);
  processes_.detach(Puid(request.puid));
  answer_done(client.socket.get(), request);
}

void MemberServer::answer_network(Client& client, const control::Packet& packet) {
  const auto request = control::read_message<control::AskNetwork>(packet);
  auto message = control::make_message<control::Network>(request.header.serial);
  message.nodes = keeper_.segment().header().nodes;
  const int plan = hooks_.network_plan ? hooks_.network_plan() : -1;
  answer(client.socket.get(), message, std::span(&plan, plan >= 0 ? 1 : 0));
}

void MemberServer::leave(ClientId id, JobProcess& process, const control::Packet& packet) {
  const auto request = control::read_message<control::Leave>(packet);
  process.left_with = request.status;
  hooks_.leaving({.client = id,
                  .serial = request.header.serial,
                  .process = process.puid,
                  .is_program = process.child != 0 ? process.child != process.member : process.ended,
                  .waits = request.wait != 0});
}

}  // namespace wyvern::agent
