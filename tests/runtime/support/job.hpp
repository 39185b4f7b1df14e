#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <wyvern/core/file_descriptor.hpp>

namespace wyvern::test {

/// Waits until the condition holds; false if it has not after a time that only something that hangs needs.
bool eventually(const std::function<bool()>& condition);

/// A process of a job, as /proc shows it.
struct SeenProcess {
  pid_t pid = 0;
  std::string name;
  std::map<std::string, std::string> environment;
};

/// A command line of this test, running with its output captured. All processes of its job are found by a
/// variable that they inherit. The destructor kills what is left of them, and the watchdog does when a test
/// waits for too long.
class Job {
 public:
  enum class How { direct, launched, four_nodes };  ///< as it is, or under `wyvern run`, on one node or four

  struct Options {
    std::vector<std::string> launcher_options = {};
    /// Added to what is inherited, or in its place. Settings of Wyvern, libfabric and colours are not
    /// inherited.
    std::map<std::string, std::string> environment = {};
    std::string input = {};   ///< its standard input
    bool terminal = false;    ///< its standard input and error are a terminal of its own, in the foreground
    bool read_output = true;  ///< false: nobody reads its stdout before `start_reading`
  };

  Job(How how, std::vector<std::string> command);
  Job(How how, std::vector<std::string> command, Options options);
  ~Job();
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  /// Of the process that was started: the launcher, or the head.
  pid_t pid() const { return pid_; }
  /// Waits for its end and the end of its output. 0..255, or minus the signal; -1000 if it hung.
  int wait();
  void start_reading();

  /// What somebody types at its terminal. What that shows, and errors, is in `error`.
  void type(const std::string& text);

  /// What has come so far.
  std::string output() const;
  std::string error() const;
  std::vector<std::string> output_lines() const;
  /// Wait until a text has come.
  bool output_has(const std::string& text) const;
  bool error_has(const std::string& text) const;

  /// The job's living processes now, the launcher, the agent and the head included.
  std::vector<SeenProcess> processes() const;
  pid_t agent() const;
  pid_t head() const;
  /// The head of a job whose first process is a launcher.
  pid_t launched_head() const;
  /// The abstract name of the agent's socket, once a process was started.
  std::string socket_name() const;
  /// Whether nothing of the job is left: no process, and no socket of that name.
  bool gone(const std::string& socket) const;

 private:
  class Reader;

  std::string marker_;
  pid_t pid_ = 0;
  How how_;
  FileDescriptor terminal_;
  std::unique_ptr<Reader> out_;
  std::unique_ptr<Reader> err_;
  int status_ = 0;
};

/// For names of parameterised tests.
inline std::string name_of(Job::How how) {
  return how == Job::How::direct ? "direct" : how == Job::How::launched ? "launched" : "four_nodes";
}

}  // namespace wyvern::test
