def find_all(connections, evidence, summary):
    return ()
