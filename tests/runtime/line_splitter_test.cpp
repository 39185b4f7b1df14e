#include <string>

#include <gtest/gtest.h>

#include <wyvern/runtime/agent/line_splitter.hpp>

namespace wyvern::agent {
namespace {

/// What comes out for these pieces, one after another, before the end.
std::string feed(LineSplitter& splitter, std::initializer_list<std::string> pieces) {
  std::string out;
  for (const std::string& piece : pieces) splitter.feed(piece, out);
  return out;
}

std::string finish(LineSplitter& splitter) {
  std::string out;
  splitter.finish(out);
  return out;
}

TEST(LineSplitter, nothing_comes_of_nothing) {
  LineSplitter splitter;
  EXPECT_EQ(feed(splitter, {"", ""}), "");
  EXPECT_EQ(finish(splitter), "");
}

TEST(LineSplitter, whole_lines_pass_at_once) {
  LineSplitter splitter;
  EXPECT_EQ(feed(splitter, {"one\ntwo\n\nfour\n"}), "one\ntwo\n\nfour\n");
  EXPECT_EQ(finish(splitter), "");
}

TEST(LineSplitter, part_of_a_line_waits_for_its_end) {
  LineSplitter splitter;
  EXPECT_EQ(feed(splitter, {"on", "e"}), "");
  EXPECT_EQ(feed(splitter, {"\ntw"}), "one\n");
  EXPECT_EQ(feed(splitter, {"o\nthree\nfo"}), "two\nthree\n");
  EXPECT_EQ(finish(splitter), "fo\n");
  EXPECT_EQ(finish(splitter), "");
}

TEST(LineSplitter, every_line_gets_the_label) {
  LineSplitter splitter("[7] ");
  EXPECT_EQ(feed(splitter, {"a", "b\n\nc\nd"}), "[7] ab\n[7] \n[7] c\n");
  EXPECT_EQ(finish(splitter), "[7] d\n");
}

TEST(LineSplitter, line_that_is_too_long_is_cut) {
  LineSplitter splitter("> ");
  const std::string longest(LineSplitter::max_line_bytes, 'x');
  EXPECT_EQ(feed(splitter, {longest.substr(1)}), "");
  EXPECT_EQ(feed(splitter, {"x"}), "> " + longest + "\n");
  EXPECT_EQ(feed(splitter, {longest + longest + "rest\n"}), "> " + longest + longest + "rest\n");
  EXPECT_EQ(feed(splitter, {longest + longest + "rest"}), "> " + longest + "\n> " + longest + "\n");
  EXPECT_EQ(finish(splitter), "> rest\n");
}

TEST(LineSplitter, piece_of_full_length_with_a_label_is_not_split_again_where_there_is_room_for_it) {
  const std::string labelled = "[8589934593] " + std::string(LineSplitter::max_line_bytes, 'x') + "\n";
  LineSplitter splitter({}, LineSplitter::max_line_bytes + 64);
  std::string out;
  splitter.feed(std::string_view(labelled).substr(0, labelled.size() - 1), out);
  EXPECT_EQ(out, "");
  splitter.feed("\n", out);
  EXPECT_EQ(out, labelled);
}

}  // namespace
}  // namespace wyvern::agent
