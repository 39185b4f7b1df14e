#include <signal.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>

#include <gtest/gtest.h>
#include <rdma/fi_errno.h>

#include <wyvern/transport/fabric_error.hpp>
#include <wyvern/transport/fabric_library.hpp>
#include <wyvern/transport/provider_choice.hpp>

namespace wyvern::test {
namespace {

void our_handler(int) {}

/// What the first loading does can be seen where it has not happened: in a process that begins anew.
class FirstLoadingDeathTest : public ::testing::Test {
 protected:
  FirstLoadingDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
  ~FirstLoadingDeathTest() override { GTEST_FLAG_SET(death_test_style, "fast"); }
};

int first_changed_handler() {
  std::array<struct sigaction, NSIG> before{};
  ::signal(SIGINT, &our_handler);
  ::signal(SIGTERM, SIG_IGN);
  for (std::size_t signal = 1; signal < NSIG; ++signal)
    ::sigaction(static_cast<int>(signal), nullptr, &before.at(signal));
  list_offers(FabricLibrary::get(), "tcp;ofi_rxm");
  for (std::size_t signal = 1; signal < NSIG; ++signal) {
    struct sigaction now {};
    ::sigaction(static_cast<int>(signal), nullptr, &now);
    if (std::memcmp(&now.sa_handler, &before.at(signal).sa_handler, sizeof now.sa_handler) != 0)
      return static_cast<int>(signal);
  }
  return 0;
}

TEST_F(FirstLoadingDeathTest, signal_handlers_are_the_same_after_loading_and_asking) {
  EXPECT_EXIT(::_exit(first_changed_handler()), ::testing::ExitedWithCode(0), "")
      << "it exits with the signal whose handler has changed";
}

int wrong_environment() {
  ::setenv("FI_OFI_RXM_MSG_RX_SIZE", "777", 1);
  ::unsetenv("IPATH_NO_BACKTRACE");
  FabricLibrary::get();
  const char* kept = ::getenv("FI_OFI_RXM_MSG_RX_SIZE");
  const char* added = ::getenv("IPATH_NO_BACKTRACE");
  if (kept == nullptr || std::string(kept) != "777") return 1;
  return added == nullptr || std::string(added) != "1" ? 2 : 0;
}

TEST_F(FirstLoadingDeathTest, environment_gets_what_providers_need_and_keeps_what_the_user_has_set) {
  EXPECT_EXIT(::_exit(wrong_environment()), ::testing::ExitedWithCode(0), "");
}

TEST(FabricLibrary, says_its_version_and_what_its_errors_mean) {
  const FabricLibrary& library = FabricLibrary::get();
  EXPECT_TRUE(FI_VERSION_GE(library.version(), FI_VERSION(1, 17)));
  EXPECT_EQ(fabric_version_text(FI_VERSION(1, 17)), "1.17");
  EXPECT_NO_THROW(library.check(0, "nothing"));
  EXPECT_NO_THROW(library.check(5, "five of something"));
  try {
    library.check(-FI_ENODATA, "fi_getinfo");
    FAIL() << "that was an error";
  } catch (const FabricError& error) {
    EXPECT_EQ(error.fabric_errno(), FI_ENODATA);
    EXPECT_EQ(std::string(error.what()), "fi_getinfo: " + library.describe(FI_ENODATA));
  }
}

TEST(FabricLibrary, provider_that_is_not_there_offers_nothing) {
  EXPECT_TRUE(list_offers(FabricLibrary::get(), "no-such-provider").empty());
}

TEST(FabricLibrary, tcp_is_offered_here_and_chosen_unless_there_is_hardware) {
  const FabricLibrary& library = FabricLibrary::get();
  const auto offers = list_offers(library);
  const ProviderChoice choice = choose_provider(offers, library.version(), "tcp");
  EXPECT_EQ(choice.traits->request, "tcp");
  EXPECT_TRUE(choice.traits->reaches_other_nodes);
  const ProviderChoice unasked = choose_provider(offers, library.version());
  EXPECT_LE(unasked.traits, choice.traits) << unasked.explanation;
}

}  // namespace
}  // namespace wyvern::test
