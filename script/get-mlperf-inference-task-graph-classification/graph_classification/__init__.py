"""Classification of the nodes of a heterogeneous graph: R-GAT over IGBH."""
