"""How messages spell labels."""

visibility("//private")

def spell(label):
    """Spells a label as Bazel does in its own messages."""
    return str(label) if label.repo_name else "//{}:{}".format(label.package, label.name)
