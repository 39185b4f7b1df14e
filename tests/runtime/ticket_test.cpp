#include <set>
#include <string>

#include <gtest/gtest.h>

#include <wyvern/runtime/protocol/ticket.hpp>

namespace wyvern::control {
namespace {

TEST(Ticket, text_of_a_ticket_is_read_back) {
  for (const Ticket ticket : {Ticket{0, 0}, Ticket{0x123, 7}, Ticket{~std::uint64_t{0}, ~std::uint32_t{0}}}) {
    EXPECT_EQ(parse_ticket(to_string(ticket)), ticket) << to_string(ticket);
  }
}

TEST(Ticket, other_texts_are_no_tickets) {
  for (const char* text :
       {"", ":", "0123456789abcdef", "0123456789abcdef:", "0123456789abcde:1", "0123456789abcdeg:1",
        "0123456789abcdef:1x", "0123456789abcdef:-1", "0123456789abcdef:4294967296", "0x23456789abcdef:1"}) {
    EXPECT_EQ(parse_ticket(text), std::nullopt) << text;
  }
}

TEST(Ticket, socket_names_differ) {
  std::set<std::string> names;
  for (int i = 0; i < 100; ++i) names.insert(new_socket_name());
  EXPECT_EQ(names.size(), 100U);
}

}  // namespace
}  // namespace wyvern::control
