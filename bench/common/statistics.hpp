#pragma once

#include <vector>

namespace wyvern::bench {

struct Spread {
  double median = 0;  ///< of an even number: between the two in the middle
  double min = 0;
  double max = 0;
};
/// All zero for no values.
Spread spread(std::vector<double> values);

}  // namespace wyvern::bench
