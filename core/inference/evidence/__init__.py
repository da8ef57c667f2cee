"""Exact log p(x) and the true posterior by quadrature over the codes; importance sampling where that cannot be done."""
