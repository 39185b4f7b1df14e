#pragma once

#include <string_view>

namespace wyvern::launcher {

/// Exit status of the command when there is nothing that it could do: it was used wrongly, or the job could
/// not begin.
inline constexpr int usage_status = 2;

/// Says on standard error what is wrong, as the one line that it is: of several the first. Returns
/// `usage_status`.
int complain(std::string_view sentence);

}  // namespace wyvern::launcher
