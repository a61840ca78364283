// The native objects of one thread, each at its place. JavaScript names an object by that: it
// writes the place into a word that both have, and calls the operation. To read the word takes a
// third of the time that Node-API takes to hand over a value (docs/adr/0079-places.md).
#ifndef HOLDFAST_ADDON_NATIVES_H
#define HOLDFAST_ADDON_NATIVES_H

#include <cstdint>
#include <vector>

namespace holdfast::addon {

class NativeObject;

class Natives {
 public:
  // `subject` is the memory of `addon.subject`, `number` that of `addon.number`.
  void use(uint32_t* subject, const double* number) {
    subject_ = subject;
    number_ = number;
  }

  // Gives the object a place, and writes it into the word.
  uint32_t add(NativeObject* native) {
    if (free_.empty()) {
      free_.push_back(static_cast<uint32_t>(at_.size()));
      at_.push_back(nullptr);
    }
    *subject_ = free_.back();
    free_.pop_back();
    at_[*subject_] = native;
    return *subject_;
  }
  // The place may be another object's from now on.
  void remove(uint32_t place) {
    at_[place] = nullptr;
    free_.push_back(place);
  }

  // What the operation that JavaScript calls is for; nullptr if nothing is at that place.
  NativeObject* subject() const { return at(*subject_); }
  // Its argument, if it has one only and that is a number.
  double number() const { return *number_; }
  NativeObject* at(uint32_t place) const { return place < at_.size() ? at_[place] : nullptr; }

 private:
  uint32_t nobody_ = 0;
  uint32_t* subject_ = &nobody_;  // until use()
  const double* number_ = nullptr;
  std::vector<NativeObject*> at_{nullptr};  // nobody is at place 0, which is what NaN becomes
  std::vector<uint32_t> free_;
};

}  // namespace holdfast::addon

#endif
