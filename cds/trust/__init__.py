"""Who calls: the registered EHRs (`client`), and the proof that a call comes from one of them (client JWT)."""
