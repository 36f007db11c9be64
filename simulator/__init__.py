"""The upstream services of the service as one small program: LMS, platform, enterprise-catalog, license-manager.

A WSGI program of its own (`simulator.wsgi:app`) with one coherent named world, faults that can be switched on, a log of
everything that the services saw, and a page at `/` that plays the learner portal. It never imports enterprise_access.

    /lms/...              edx-enterprise, OAuth, and the platform's /api/enrollment/v1/...
    /catalog/...          enterprise-catalog
    /license-manager/...  license-manager
    /discovery/...        course-discovery: types of courses and runs
    /                     the learner portal page, with /portal/... behind it
    /control/             faults, quirks, changes of the world, log (see `control`)

Each service is one package with one `services.Service` value (routes and rate limits), listed in `app.SERVICES`; the
page is `portal_pages`. `store` holds the one state, `world` the verbs that change it, `enrolling` and `licensing` the
rules that several services share.

In tests: `create_app(World(...))`, a `requests` session with `SimulatorAdapter(app)` mounted, and the World's verbs.

The named world (`seed`; every date is an offset from the day of the seed)
--------------------------------------------------------------------------

Customers
    acme     Acme Learning. Catalogs: Open Courses, Leadership, A La Carte (courses, their run records, exec ed),
             Custom Runs (allows restricted runs). Plans: annual, leadership, last year's (expired), next year's (not
             started), a switched-off one
    globex   Globex Corporation, without data-sharing consent and learner portal. Catalogs: Engineering, Single Runs,
             one without a query. One plan
    hooli    Hooli. One catalog; a plan that applies licenses by itself (universal link, identity provider)
    initech  Initech. Neither catalogs nor plans
    dormant  Dormant Dynamics, switched off

Learners
    ada      acme, activated license, nothing enrolled: the one to try first
    ben      acme, license assigned, not activated        cyd  acme, license revoked
    dee      acme, license revoked, another activated     eli  acme, license of an expired plan
    fay      acme, license of a plan not yet started      gus  acme, license of a switched-off plan
    hal      acme, no license                             max  acme, licenses of two current plans
    lea      acme, license of the leadership plan only
    carol    acme, enrolled in EPFLx+Scala+2026_A, which is not the advertised run any more
    dave     acme, left edX+DemoX                         erin  acme, paid in edX+DemoX, audit in KIx+STATS1
    grace    acme once, unlinked now                      judy  acme, address changed after the license was activated
    kim      acme, license revoked while enrolled: moved to audit
    frank    acme (not active) and globex (active), a license in both
    heidi    globex, activated license                    ivan  globex, no license
    nina, omar  hooli, no license                         peter  initech            dora  dormant
Staff: enterprise_access_worker (staff and operator), worker_without_staff, staff_without_role, amy_admin (of acme), and
outsider, who belongs nowhere.

Courses (in Open Courses of acme unless said otherwise)
    open, audit and verified      ten ordinary ones, e.g. LinuxFoundationX+LFS101x (seven of them in Open Courses)
    several runs                  edX+DemoX (2026_T1 advertised), EPFLx+Scala (2026_B advertised)
    no advertised run             MITx+6.00.1x, edX+OLD101 (archived), edX+NORUNS (no runs), WasedaX+JPN1 (dangling)
    enrollment closed, not open   BerkeleyX+CS188.1x, DelftX+WATER1
    run ended, unpublished        RiceX+ELEC301, KyotoX+CHEM1
    invitation only, full         ANUx+ASTRO1, UTAustinX+FULL1
    stale "not enrollable"        SorbonneX+SNAP1
    audit only, honor, verified   HarvardX+CS50, TsinghuaX+ENG1, ImperialX+MATH1
    professional with and without ID check  WhartonX+FIN1, GTx+CSE6040
    upgrade deadline passed       MichiganX+PY101
    verified mode expired         ColumbiaX+BUS5
    LMS picks another mode        PurdueX+MIX1
    no mode at all                CaltechX+NOMODE
    just ingested                 NewX+FRESH1
    run without its own record    UQx+THINK101
    run unknown to the LMS        OxfordX+GHOST1
    executive education           GetSmarter+AIB (A La Carte)
    restricted runs               edX+RestrictX, edX+RestrictOnly (Custom Runs)
    run record only               StanfordX+ML (Single Runs of globex)
    in no catalog                 EdinburghX+SUST1
"""
