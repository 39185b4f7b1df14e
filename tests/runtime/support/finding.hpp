#pragma once

#include <string>

#include <gtest/gtest.h>

#include <wyvern/runtime/launcher/doctor/finding.hpp>

namespace wyvern::test {

inline testing::AssertionResult is_well(const launcher::Finding& finding) {
  if (finding.ok && !finding.what.empty() && finding.fix.empty()) return testing::AssertionSuccess();
  return testing::AssertionFailure() << finding.check << ": " << finding.what << "; fix: " << finding.fix;
}

/// A problem that is described with those words, in what is wrong and in how to mend it.
inline testing::AssertionResult finds_problem(const launcher::Finding& finding, const std::string& what,
                                              const std::string& fix) {
  if (!finding.ok && finding.what.find(what) != std::string::npos &&
      finding.fix.find(fix) != std::string::npos)
    return testing::AssertionSuccess();
  return testing::AssertionFailure() << (finding.ok ? "all well, " : "a problem, ") << finding.check << ": "
                                     << finding.what << "; fix: " << finding.fix;
}

}  // namespace wyvern::test
