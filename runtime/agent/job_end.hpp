#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

namespace wyvern::agent {

/// Decides how a job comes to its end; does nothing itself. It is told what happens, and says what to do
/// next:
///
///   running --head returned--> waiting --all joined--> ending --all gone--> over
///      |                                                 | grace passed      ^
///      |--head ended early, asked from outside-----------+                   |
///      |--head killed, owner gone, second signal-----> killing --all gone----+
///
/// "All" are all processes but a head that is spared, because it waits for the others or ends by itself.
class JobEnd {
 public:
  using Clock = std::chrono::steady_clock;

  enum class Step {
    none,
    ask_to_end,  ///< SIGTERM to what is left
    kill,        ///< SIGKILL to what is left; repeated, since killing parents brings new orphans
    finish,      ///< nothing is left: pass the last output on, answer the head or end
  };

  /// After SIGTERM, before SIGKILL.
  static constexpr std::chrono::seconds grace{2};
  /// After a signal that the user sent to the job: it may have something to save.
  static constexpr std::chrono::seconds signal_grace{5};
  /// What SIGKILL does not end by then hangs in the kernel, and is left to it.
  static constexpr std::chrono::seconds kill_patience{5};

  /// The head's function has returned, and the head waits until the others have gone.
  void head_returned();
  /// The head has said that it ends before its function has returned.
  void head_ends_early(Clock::time_point now);
  /// The head has let its connection go without a word; perhaps it executes another program.
  void head_disconnected(Clock::time_point now);
  /// The head has ended.
  void head_gone(bool by_signal, Clock::time_point now);
  /// The agent was asked to end.
  void asked_to_end(Clock::time_point now);
  /// The same without asking the processes first.
  void asked_to_kill(Clock::time_point now);
  /// The launcher, or a head that was run directly, has gone: nobody is left for whom to be patient.
  void owner_lost(Clock::time_point now);
  /// The user has sent a signal, which was passed on to the job. The second one kills.
  void signalled(Clock::time_point now);
  /// The head was told that the others have gone, and goes on.
  void head_released();

  /// What to do now. `awaited`: processes that the job waits for; `left`: whether any is left.
  Step next(Clock::time_point now, std::size_t awaited, bool left);
  /// Whether there is anything to ask `next` for.
  bool is_near() const { return stage_ != Stage::running || deadline_; }
  /// When to ask again, if nothing happens before.
  std::optional<Clock::time_point> deadline() const { return deadline_; }

  /// The head waits to be told that the others have gone.
  bool head_waits() const { return waits_; }
  /// The head is not among those that are asked to end, killed, or waited for.
  bool spares_head() const { return waits_ || early_ || disconnected_; }
  /// No process may be started any more.
  bool refuses_starts() const { return stage_ >= Stage::ending; }
  /// What is left is killed.
  bool kills() const { return stage_ == Stage::killing; }
  /// Nobody waits for the last output.
  bool hurried() const { return hurried_; }

 private:
  enum class Stage { running, waiting, ending, killing };

  void start_ending(Clock::time_point now);
  void start_killing(Clock::time_point now);

  Stage stage_ = Stage::running;
  bool waits_ = false;         // the head, for the others
  bool early_ = false;         // the head said that it ends
  bool disconnected_ = false;  // the head is another program by now
  bool asked_ = false;         // ask_to_end was said
  bool signalled_ = false;
  bool hurried_ = false;
  bool gave_up_ = false;  // on what SIGKILL does not end
  std::optional<Clock::time_point> deadline_;
};

}  // namespace wyvern::agent
