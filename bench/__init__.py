"""Speed and memory of mptrace beside tshark, and the captures that they are measured with."""
