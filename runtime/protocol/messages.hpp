#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <wyvern/core/error.hpp>

/// What a process and its node's agent say to each other over their SOCK_SEQPACKET connection: one plain
/// struct a packet, fixed in size, little-endian. A process asks one thing at a time and gets one answer,
/// except where noted. Whoever changes a struct raises `protocol_version`.
namespace wyvern::control {

static_assert(std::endian::native == std::endian::little, "the control protocol is little-endian");

inline constexpr std::uint32_t message_magic = 0x4e56'5957;  // "WYVN"
inline constexpr std::uint16_t protocol_version = 3;
inline constexpr std::size_t max_message_bytes = 2048;
inline constexpr std::size_t max_message_descriptors = 3;

/// Bytes of a queue's name, and of a type's name in an error message, each with its terminating zero.
inline constexpr std::size_t object_name_bytes = 256;
inline constexpr std::size_t type_name_bytes = 512;
inline constexpr std::size_t error_text_bytes = 1024;
/// Bytes of the address by which a node is reached; what a network says is not looked into here.
inline constexpr std::size_t node_address_bytes = 320;

enum class MessageKind : std::uint16_t {
  // From a process to its agent.
  attach = 1,
  create_channel = 2,
  find_object = 3,
  grow_ports = 4,
  grow_extents = 5,
  attend = 6,
  start = 7,
  signal_process = 8,
  detach = 9,
  leave = 10,
  ready = 11,
  ask_network = 12,
  // From `wyvern join` to an agent.
  join = 32,
  program_runs = 33,
  program_ended = 34,
  // Answers.
  done = 64,
  failed = 65,
  attached = 66,
  object = 67,
  started = 68,
  network = 69,
  joined = 70,
  // Between the launcher and its agents.
  signal_job = 128,
  job_over = 129,
  // The same, in a job of several nodes.
  node_ready = 130,
  node_address = 131,
  nodes_ready = 132,
  head_returned = 133,
  awaited = 134,
  job_ends = 135,
  end_node = 136,
  others_ended = 137,
};

/// Starts every message. It and `Failed` never change, so that different versions can tell each other so.
struct MessageHeader {
  std::uint32_t magic;
  std::uint16_t version;
  MessageKind kind;
  std::uint32_t bytes;   ///< of the whole message
  std::uint32_t serial;  ///< of the request; its answer repeats it
};

/// The first request on a connection. Answered with `Attached`.
struct Attach {
  static constexpr MessageKind kind = MessageKind::attach;
  MessageHeader header;
  std::uint64_t layout_hash;  ///< of the shared structs this program was built with
  std::uint64_t ticket_key;
  std::uint32_t ticket_sequence;
  std::uint32_t reserved;
};

/// Comes with two descriptors, the segment and a pidfd of the agent, and a third if `has_payload`: what to
/// run.
struct Attached {
  static constexpr MessageKind kind = MessageKind::attached;
  MessageHeader header;
  std::uint64_t puid;
  std::uint64_t parent;  ///< 0: none
  std::uint32_t process_index;
  std::uint32_t agent_pid;
  std::uint32_t has_payload;
  std::uint32_t reserved;
};

/// Answered with `Object`.
struct CreateChannel {
  static constexpr MessageKind kind = MessageKind::create_channel;
  MessageHeader header;
  std::uint64_t capacity;
  std::uint64_t inline_size;
  std::uint64_t max_bytes;
  std::uint64_t type_hash;
  std::uint64_t dead_letters_id;  ///< 0: none
  std::uint32_t dead_letters_index;
  std::uint32_t max_deliveries;
  std::uint32_t window;
  std::uint32_t prefetch;
  char name[object_name_bytes];
  char type_name[type_name_bytes];
};

/// Answered with `Object`.
struct FindObject {
  static constexpr MessageKind kind = MessageKind::find_object;
  MessageHeader header;
  char name[object_name_bytes];
};

/// Answered with `Done`.
struct GrowPorts {
  static constexpr MessageKind kind = MessageKind::grow_ports;
  MessageHeader header;
  std::uint64_t object_id;
  std::uint32_t object_index;
  std::uint32_t reserved;
};

/// Answered with `Done`.
struct GrowExtents {
  static constexpr MessageKind kind = MessageKind::grow_extents;
  MessageHeader header;
  std::uint32_t size_class;
  std::uint32_t reserved;
};

/// Not answered.
struct Attend {
  static constexpr MessageKind kind = MessageKind::attend;
  MessageHeader header;
  std::uint64_t object_id;
  std::uint32_t object_index;
  std::uint32_t reserved;
};

/// Comes with three descriptors: the start payload, the executable, and the working directory; the payload
/// may say another program and another directory. Answered with `Started` when the process executes.
struct Start {
  static constexpr MessageKind kind = MessageKind::start;
  MessageHeader header;
};

/// A signal for a process and what is in its process group; nothing if it has ended. Answered with `Done`.
struct SignalProcess {
  static constexpr MessageKind kind = MessageKind::signal_process;
  MessageHeader header;
  std::uint64_t puid;
  std::uint32_t signal;
  std::uint32_t reserved;
};

/// Nobody will wait for that process at the end of the job. Answered with `Done`.
struct Detach {
  static constexpr MessageKind kind = MessageKind::detach;
  MessageHeader header;
  std::uint64_t puid;
};

/// The function given to `wyvern::run` has ended. Answered with `Done` when nothing is left of what it
/// started, however long that takes; not answered if `wait` is 0.
struct Leave {
  static constexpr MessageKind kind = MessageKind::leave;
  MessageHeader header;
  std::int32_t status;
  std::uint32_t wait;  ///< 0: what is left is asked to end now, because the process ended early
};

/// The process holds everything that its arguments name. Not answered.
struct Ready {
  static constexpr MessageKind kind = MessageKind::ready;
  MessageHeader header;
};

/// How other nodes are reached. Answered with `Network`.
struct AskNetwork {
  static constexpr MessageKind kind = MessageKind::ask_network;
  MessageHeader header;
};

/// The first request on a connection that stands for a program which somebody starts by hand: it is to be a
/// process of the job. Answered with `Joined`.
struct Join {
  static constexpr MessageKind kind = MessageKind::join;
  MessageHeader header;
};

/// The program executes; comes with a pidfd of it. Not answered.
struct ProgramRuns {
  static constexpr MessageKind kind = MessageKind::program_runs;
  MessageHeader header;
  std::uint32_t pid;
  std::uint32_t reserved;
};

/// The program has ended, or did not come to be. Not answered.
struct ProgramEnded {
  static constexpr MessageKind kind = MessageKind::program_ended;
  MessageHeader header;
  std::int32_t status;  ///< 0..255, or minus the signal
  std::uint32_t reserved;
};

struct Done {
  static constexpr MessageKind kind = MessageKind::done;
  MessageHeader header;
};

struct Failed {
  static constexpr MessageKind kind = MessageKind::failed;
  MessageHeader header;
  std::uint32_t code;  ///< an ErrorCode
  std::uint32_t reserved;
  char text[error_text_bytes];
};

struct Object {
  static constexpr MessageKind kind = MessageKind::object;
  MessageHeader header;
  std::uint64_t object_id;  ///< 0: there is none of that name
  std::uint32_t object_index;
  std::uint32_t reserved;
};

/// Comes with a descriptor for each standard stream of the process that is piped, in their order: the other
/// end.
struct Started {
  static constexpr MessageKind kind = MessageKind::started;
  MessageHeader header;
  std::uint64_t puid;
};

/// Comes with a descriptor if there are other nodes: see network_plan.hpp.
struct Network {
  static constexpr MessageKind kind = MessageKind::network;
  MessageHeader header;
  std::uint32_t nodes;  ///< of the job
  std::uint32_t reserved;
};

/// The program attaches with a ticket of that key. Comes with a pidfd of the agent.
struct Joined {
  static constexpr MessageKind kind = MessageKind::joined;
  MessageHeader header;
  std::uint64_t puid;
  std::uint64_t ticket_key;
};

/// From the launcher to each agent: a signal for every process of its node. Not answered.
struct SignalJob {
  static constexpr MessageKind kind = MessageKind::signal_job;
  MessageHeader header;
  std::uint32_t signal;
  std::uint32_t skip_head;  ///< the terminal has sent it to the head already
};

/// From the agent to its launcher: nothing is left of the job on its node. From node 1 at the very end; from
/// another node before its last output is out, which is when the connection ends. `Failed` comes instead if
/// the node could not come to be, or the head could not be started.
struct JobOver {
  static constexpr MessageKind kind = MessageKind::job_over;
  MessageHeader header;
  std::int32_t status;  ///< of the head: 0..255, or minus the signal; 0 from another node than 1
  std::uint32_t reserved;
};

/// From an agent to the launcher, once, when its network is open: where other nodes reach it.
struct NodeReady {
  static constexpr MessageKind kind = MessageKind::node_ready;
  MessageHeader header;
  std::uint32_t address_bytes;
  std::uint32_t reserved;
  std::byte address[node_address_bytes];
};

/// From the launcher to every agent, for each node from the first to the last, when all are ready.
struct NodeAddress {
  static constexpr MessageKind kind = MessageKind::node_address;
  MessageHeader header;
  std::uint32_t node;
  std::uint32_t address_bytes;
  std::byte address[node_address_bytes];
};

/// Follows the last `NodeAddress`: the job may begin.
struct NodesReady {
  static constexpr MessageKind kind = MessageKind::nodes_ready;
  MessageHeader header;
  std::uint32_t count;  ///< of nodes
  std::uint32_t reserved;
};

/// From the agent of node 1, passed on to all others: the head waits until nobody is awaited on any node.
struct HeadReturned {
  static constexpr MessageKind kind = MessageKind::head_returned;
  MessageHeader header;
};

/// From an agent, once the head has returned: first, and whenever it comes to be true or false, whether the
/// job waits for processes of its node. A process that was started is counted before its starter is answered.
struct Awaited {
  static constexpr MessageKind kind = MessageKind::awaited;
  MessageHeader header;
  std::uint32_t any;  ///< 0: none
  std::uint32_t reserved;
};

/// From the agent of node 1: its node has begun to end without being asked to, so all others have to. A
/// second time when it has come to killing.
struct JobEnds {
  static constexpr MessageKind kind = MessageKind::job_ends;
  MessageHeader header;
  std::uint32_t kill;  ///< 1: at once, without asking the processes
  std::uint32_t reserved;
};

/// From the launcher to the agent of another node than 1: end what is left there, then yourself.
struct EndNode {
  static constexpr MessageKind kind = MessageKind::end_node;
  MessageHeader header;
  std::uint32_t kill;  ///< as in `JobEnds`
  std::uint32_t reserved;
};

/// From the launcher to the agent of node 1: all others have ended, and their last output is on its way.
struct OthersEnded {
  static constexpr MessageKind kind = MessageKind::others_ended;
  MessageHeader header;
};

template <class Message, std::size_t bytes>
inline constexpr bool has_wire_layout =
    std::is_trivially_copyable_v<Message> && std::is_standard_layout_v<Message> && sizeof(Message) == bytes &&
    alignof(Message) <= 8 && sizeof(Message) <= max_message_bytes;
static_assert(has_wire_layout<MessageHeader, 16> && has_wire_layout<Attach, 40> &&
              has_wire_layout<Attached, 48> && has_wire_layout<CreateChannel, 72 + 256 + 512> &&
              has_wire_layout<FindObject, 16 + 256> && has_wire_layout<GrowPorts, 32> &&
              has_wire_layout<GrowExtents, 24> && has_wire_layout<Attend, 32> && has_wire_layout<Start, 16> &&
              has_wire_layout<SignalProcess, 32> && has_wire_layout<Detach, 24> &&
              has_wire_layout<Leave, 24> && has_wire_layout<Done, 16> && has_wire_layout<Failed, 24 + 1024> &&
              has_wire_layout<Object, 32> && has_wire_layout<Started, 24> && has_wire_layout<Ready, 16> &&
              has_wire_layout<AskNetwork, 16> && has_wire_layout<Network, 24> && has_wire_layout<Join, 16> &&
              has_wire_layout<ProgramRuns, 24> && has_wire_layout<ProgramEnded, 24> &&
              has_wire_layout<Joined, 32> && has_wire_layout<SignalJob, 24> && has_wire_layout<JobOver, 24> &&
              has_wire_layout<NodeReady, 24 + node_address_bytes> &&
              has_wire_layout<NodeAddress, 24 + node_address_bytes> && has_wire_layout<NodesReady, 24> &&
              has_wire_layout<HeadReturned, 16> && has_wire_layout<Awaited, 24> &&
              has_wire_layout<JobEnds, 24> && has_wire_layout<EndNode, 24> &&
              has_wire_layout<OthersEnded, 16>);
static_assert(offsetof(MessageHeader, version) == 4 && offsetof(MessageHeader, kind) == 6 &&
              offsetof(MessageHeader, bytes) == 8 && offsetof(MessageHeader, serial) == 12);

}  // namespace wyvern::control
