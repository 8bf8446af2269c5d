def explanation(field, octets, ours, theirs):
    return None
