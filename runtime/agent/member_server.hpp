#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <wyvern/channels/keeper.hpp>
#include <wyvern/runtime/agent/event_loop.hpp>
#include <wyvern/runtime/agent/job_names.hpp>
#include <wyvern/runtime/agent/job_processes.hpp>
#include <wyvern/runtime/protocol/seqpacket.hpp>

namespace wyvern::agent {

/// Answers the requests of the processes of this node. Never waits for one: who sends what it must not, or
/// does not read its answers, loses its connection, and nobody notices but it. Used by the agent's thread
/// only.
class MemberServer {
 public:
  using ClientId = std::uint64_t;

  /// A process whose function has ended, and which wants to know when nothing is left of what it started.
  struct Leaving {
    ClientId client = 0;
    std::uint32_t serial = 0;
    Puid process;
    bool is_program = false;  ///< one that the job's process runs, such as a script's; the process goes on
    bool waits = false;
  };
  struct Hooks {
    std::function<void(const Leaving&)> leaving;
    std::function<void(Puid process)> disconnected;
    std::function<bool()> refuses_starts;
    /// A descriptor for processes that want to reach other nodes; -1: there are none.
    std::function<int()> network_plan;
    std::function<void(std::string_view line)> log;
  };

  /// `agent_pidfd` is handed to the processes, which watch it; it stays the caller's.
  MemberServer(EventLoop& loop, Keeper& keeper, JobProcesses& processes, const JobNames& names,
               int agent_pidfd, Hooks hooks);

  /// Serves whoever connects to that name and has this user's id. Throws NodeLost.
  void listen(const std::string& name);
  /// Serves the other end of this socket.
  void adopt(FileDescriptor socket);
  /// The job is up: answers who has asked to join it meanwhile. Until then nobody gets a puid before the
  /// head.
  void let_join();
  /// Tells a process that it can go.
  void release(const Leaving& leaving);

 private:
  struct Client {
    FileDescriptor socket;
    control::Peer peer;
    Puid process;    // none before it has attached
    Puid joiner_of;  // it is no process of the job, but has started this one by hand
    std::unique_ptr<control::Packet> early_join;  // which it has sent before the job was up
    EventLoop::Watch readable;
  };

  void accept_all();
  void serve(ClientId id);
  /// Drops the client if it breaks the protocol, or that says no.
  void drop_unless(ClientId id, const Client& client, const std::function<bool()>& keeps);
  /// False if the client is to lose its connection.
  bool handle(ClientId id, Client& client, control::Packet& packet);
  bool dispatch(ClientId id, Client& client, control::Packet& packet);
  void drop(ClientId id);

  // One each request; in member_requests.cpp. They throw Error, which is answered, or control::Malformed.
  void attach(Client& client, const control::Packet& packet);
  void create_channel(Client& client, const JobProcess& process, const control::Packet& packet);
  void find_object(Client& client, const JobProcess& process, const control::Packet& packet);
  void grow_ports(Client& client, const control::Packet& packet);
  void grow_extents(Client& client, const control::Packet& packet);
  void attend(const control::Packet& packet);
  void start(Client& client, const JobProcess& process, control::Packet& packet);
  void send_signal(Client& client, const control::Packet& packet);
  void detach(Client& client, const control::Packet& packet);
  void leave(ClientId id, JobProcess& process, const control::Packet& packet);
  void join(Client& client, control::Packet& packet);
  void program_runs(const Client& client, control::Packet& packet);
  void program_ended(const Client& client, const control::Packet& packet);
  void answer_network(Client& client, const control::Packet& packet);

  EventLoop& loop_;
  Keeper& keeper_;
  JobProcesses& processes_;
  const JobNames& names_;
  int agent_pidfd_;
  Hooks hooks_;
  FileDescriptor listener_;
  EventLoop::Watch acceptable_;
  bool lets_join_ = false;
  ClientId next_client_ = 1;
  std::map<ClientId, Client> clients_;
};

}  // namespace wyvern::agent
