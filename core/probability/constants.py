"""Numbers of the normal distribution, shared by the torch modules and by what computes without torch."""

import math
from typing import Final

LOG_TWO_PI: Final = math.log(2.0 * math.pi)
