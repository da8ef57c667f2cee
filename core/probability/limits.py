"""The range of log-variances, shared by the torch modules and by what computes without torch."""

from typing import Final

# exp() leaves float32 at 88; one such batch turns every weight into NaN.  A standard deviation of e^±10 is
# 22,000 times wider or narrower than the prior, which no image needs.
LOG_VAR_MIN: Final = -20.0
LOG_VAR_MAX: Final = 20.0

# Of a Gaussian likelihood's pixels, whose greys lie in [0, 1]: a standard deviation from 0.01, two and a half steps of
# eight bits, to 10.  Without a least one, pixels that are black in all images earn density for ever.
PIXEL_LOG_VAR_MIN: Final = -9.2103403719761836
PIXEL_LOG_VAR_MAX: Final = 4.6051701859880914
