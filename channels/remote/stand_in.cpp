#include <utility>

#include <wyvern/channels/remote/stand_in.hpp>
#include <wyvern/core/object_hold.hpp>

namespace wyvern {

StandInHold::~StandInHold() {
  drop_hold(member_->segment(), reference_.index, member_->process_index());
  member_->agent().attend(reference_);
}

std::shared_ptr<StandIn> StandIns::find(const ObjectReference& object) {
  Known& known = known_[object.id.value()];
  if (auto wanted = known.wanted.lock()) return wanted;
  auto stand_in = std::make_shared<StandIn>();
  known.wanted = stand_in;
  if (maker_ == nullptr) {
    stand_in->refusal_ = InvalidArgument("this node has no way to the queues of others");
  } else if (known.made.id && add_hold(member_->segment(), known.made, member_->process_index())) {
    stand_in->hold_ = std::make_shared<StandInHold>(member_, known.made);  // messages name it still
  } else {
    maker_->make(object);
  }
  return stand_in;
}

/// Nobody may want it any more: then it goes again. Or there is another one by now.
void StandIns::made(const ObjectReference& object, std::shared_ptr<StandInHold> hold) {
  const auto known = known_.find(object.id.value());
  if (known == known_.end()) return;
  const auto wanted = known->second.wanted.lock();
  if (wanted == nullptr || wanted->hold_ != nullptr) return;
  known->second.made = hold->reference();
  wanted->hold_ = std::move(hold);
}

void StandIns::refused(const ObjectReference& object, const Error& error) {
  const auto known = known_.find(object.id.value());
  if (known == known_.end()) return;
  const auto wanted = known->second.wanted.lock();
  if (wanted != nullptr && wanted->hold_ == nullptr) wanted->refusal_ = error;
  known_.erase(known);  // the next one is another attempt
}

void StandIns::gone(const ObjectReference& object) {
  const auto known = known_.find(object.id.value());
  if (known != known_.end() && known->second.wanted.expired()) known_.erase(known);
}

}  // namespace wyvern
