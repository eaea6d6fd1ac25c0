// A second unit with the header, which the linker has to reconcile with the first.
#include <datafeed.hpp>

const std::error_category &category_of_second_unit() { return symphony::datafeed_category(); }
