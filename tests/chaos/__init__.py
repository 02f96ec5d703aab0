"""`make chaos`: pull requests live through all that can fail; nothing may be lost or done twice.

    make chaos                                  200 lives, any seed (it is printed)
    make chaos ARGS='--lives 60 --seed 50'      the same lives and the same plan of faults each time

Who does what, and when what goes wrong, follows from the seed (`lives`, `faults`). The web, the workers and
PostgreSQL are the real ones, GitHub is the stand-in with its limits, Airflow the fake behind its REST API
(`airflow_http`), which passes the contract suite of the real one. `oracle` judges by what GitHub and Airflow
have in the end and by what people did, never by the bot's database. How threads and processes take their
turns is not the seed's: the same seed may show a rare mistake at its second try only.

That it would notice, bugs planted in the bot show (`plants`; the first is in `test_chaos`). Each of
these ended with violations, among them:

    --lives 12 --seed 7 --brisk --plant triggers-without-looking      run ... was triggered 3 times
    --lives 12 --seed 7 --brisk --plant trusts-everybody              ... ran though nobody approved ...
    --lives 16 --seed 10 --brisk --plant never-supersedes             ... still runs (running)
    --lives 16 --seed 10 --brisk --plant acknowledges-first           comment ... was not answered: /test
    --lives 12 --seed 10 --brisk --plant stops-nothing                ... is pending: cancelling ...
    --lives 12 --seed 7 --only "after a write" --plant posts-without-looking
                                                                      2 comments are about the runs
    --lives 12 --seed 7 --only "after a write" --plant checks-without-looking
                                                                      2 check runs ... are about the same
"""
