"""From coverage to seconds up, down and unknown per local day, and the sums of areas."""
