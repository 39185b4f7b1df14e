#include <wyvern/core/member.hpp>
#include <wyvern/runtime/this_process.hpp>

namespace wyvern::this_process {

Puid puid() { return Member::current()->puid(); }
Puid parent() { return Member::current()->parent(); }
Runtime runtime() { return Runtime(Member::current()); }

}  // namespace wyvern::this_process
