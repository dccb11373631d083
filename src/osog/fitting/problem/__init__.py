"""What a fit solves: free parameters, priors, linear part, region, weights, residuals."""
