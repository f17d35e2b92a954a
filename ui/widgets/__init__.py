"""The shared widgets: few, painted from tokens, safe for foreign text. They know nothing of Mithaq's services."""
