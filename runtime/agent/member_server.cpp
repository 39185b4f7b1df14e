#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <exception>
#include <utility>

#include <wyvern/core/error.hpp>
#include <wyvern/runtime/agent/member_server.hpp>

namespace wyvern::agent {

MemberServer::MemberServer(EventLoop& loop, Keeper& keeper, JobProcesses& processes, const JobNames& names,
                           int agent_pidfd, Hooks hooks)
    : loop_(loop),
      keeper_(keeper),
      processes_(processes),
      names_(names),
      agent_pidfd_(agent_pidfd),
      hooks_(std::move(hooks)) {}

void MemberServer::listen(const std::string& name) {
  listener_ = control::listen_at(name);
  // Edge-triggered: if no descriptor is left for a connection, it waits for the next one to come.
  acceptable_ = loop_.watch(listener_.get(), EPOLLIN | EPOLLET, [this](std::uint32_t) { accept_all(); });
}

void MemberServer::accept_all() {
  while (true) {
    FileDescriptor socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket) return;
    adopt(std::move(socket));
  }
}

void MemberServer::adopt(FileDescriptor socket) {
  Client client{.socket = std::move(socket),
                .peer = {},
                .process = {},
                .joiner_of = {},
                .early_join = {},
                .readable = {}};
  client.peer = control::peer_of(client.socket.get());
  if (client.peer.uid != ::geteuid()) {
    hooks_.log("refused process " + std::to_string(client.peer.pid) + " of user " +
               std::to_string(client.peer.uid));
    return;
  }
  const ClientId id = next_client_++;
  client.readable = loop_.watch(client.socket.get(), EPOLLIN, [this, id](std::uint32_t) { serve(id); });
  clients_.emplace(id, std::move(client));
}

/// Takes one packet: a client that sends many shares the agent with the others.
void MemberServer::serve(ClientId id) {
  const auto found = clients_.find(id);
  if (found == clients_.end()) return;
  Client& client = found->second;
  drop_unless(id, client, [&] {
    control::Packet packet;
    const control::Transfer result = control::receive_packet(client.socket.get(), packet);
    return result == control::Transfer::would_block ||
           (result == control::Transfer::done && handle(id, client, packet));
  });
}

void MemberServer::drop_unless(ClientId id, const Client& client, const std::function<bool()>& keeps) {
  bool keep = false;
  try {
    keep = keeps();
  } catch (const control::Malformed& error) {
    hooks_.log("dropped process " + std::to_string(client.peer.pid) +
               ", which sent a malformed message: " + error.what());
  }
  if (!keep) drop(id);
}

bool MemberServer::handle(ClientId id, Client& client, control::Packet& packet) {
  const control::MessageHeader header = control::header_of(packet);
  auto failure = control::make_message<control::Failed>(header.serial);
  const auto describe = [&failure](ErrorCode code, const char* text) {
    failure.code = static_cast<std::uint32_t>(code);
    control::write_text(failure.text, text);
  };
  bool keep = true;
  try {
    if (header.version != control::protocol_version) {
      keep = false;
      throw VersionMismatch("the program speaks version " + std::to_string(header.version) +
                            " of the control protocol, the node's agent version " +
                            std::to_string(control::protocol_version) +
                            "; build the program and the launcher from the same version of wyvern");
    }
    return dispatch(id, client, packet);
  } catch (const Error& error) {
    describe(error.code(), error.what());
  } catch (const control::Malformed&) {
    throw;
  } catch (const std::exception& error) {
    describe(ErrorCode::out_of_memory, error.what());
  }
  if (header.serial == 0) return keep;  // it does not wait for an answer
  return control::send_message(client.socket.get(), failure) == control::Transfer::done && keep;
}

void MemberServer::let_join() {
  lets_join_ = true;
  for (auto next = clients_.begin(); next != clients_.end();) {
    const auto client = next++;  // it may be dropped
    if (const auto packet = std::move(client->second.early_join))
      drop_unless(client->first, client->second,
                  [&] { return handle(client->first, client->second, *packet); });
  }
}

void MemberServer::drop(ClientId id) {
  const auto found = clients_.find(id);
  if (found == clients_.end()) return;
  const Puid process = found->second.process;
  const Puid joined = found->second.joiner_of;
  clients_.erase(found);
  if (joined) processes_.joiner_gone(joined);
  if (process) hooks_.disconnected(process);
}

void MemberServer::release(const Leaving& leaving) {
  const auto found = clients_.find(leaving.client);
  if (found == clients_.end()) return;
  control::send_message(found->second.socket.get(), control::make_message<control::Done>(leaving.serial));
}

}  // namespace wyvern::agent
