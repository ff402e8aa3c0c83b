"""The page of DMARC reports: who sends in our name, by what receivers say."""
