"""The range of log-variances, shared by the torch modules and by what computes without torch."""

from typing import Final

# exp() leaves float32 at 88; one such batch turns every weight into NaN.  A standard deviation of e^±10 is
# 22,000 times wider or narrower than the prior, which no image needs.
LOG_VAR_MIN: Final = -20.0
LOG_VAR_MAX: Final = 20.0
