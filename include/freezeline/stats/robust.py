"""Constants of robust statistics on normal data (Rousseeuw & Croux 1993)."""

# Standard deviations in a median absolute deviation.
MAD_TO_SD = 1.4826
# The MAD of normal data has 37% of the information of the standard deviation, so a t
# distribution on its scale has about 0.37 (n - 1) degrees of freedom.
MAD_EFFICIENCY = 0.37
# Variance of a median of normal data in units of that of a mean.
MEDIAN_VARIANCE = 1.57
