"""The services of Mithaq: what an officer does, without a window and without Qt."""
