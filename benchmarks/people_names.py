"""Names for made-up people, by origin and about by frequency: the first of a list is the commonest."""

from __future__ import annotations

from itertools import product

_OLD_MEN = """john william george james thomas
robert arthur albert frederick charles ronald kenneth leslie ernest harold henry alfred stanley eric walter
joseph edward norman frank raymond peter dennis reginald sidney herbert douglas roy donald gordon harry cyril
bernard francis percy derek jack leonard philip edwin victor wilfred cecil clifford maurice horace geoffrey
hubert lawrence ralph archibald ivor trevor gilbert basil desmond clarence lionel roland edgar aubrey rupert
neville noel ambrose cuthbert"""
_MIDDLE_MEN = """david michael john peter paul stephen andrew robert alan mark christopher richard ian keith
anthony colin barry philip graham martin kevin nigel neil simon gary brian roger timothy jonathan steven trevor
terence malcolm patrick raymond gerald clive stuart adrian duncan russell howard julian jeremy hugh dominic
gareth craig darren wayne carl lee shaun jason dean matthew adam justin damian glenn leon marcus ross angus
fraser hamish ewan rhys huw dylan"""
_YOUNG_MEN = """daniel thomas james joshua jack matthew ryan luke samuel joseph benjamin oliver harry george
alexander charlie william jacob jake connor liam callum lewis nathan ethan max dylan oscar noah archie leo logan
alfie theo arlo freddie finley tyler isaac mason harrison toby reuben elliot owen aaron kieran jamie bradley
zachary sebastian hugo felix jude rory caleb louie frankie stanley ellis jenson kai"""
_OLD_WOMEN = """mary margaret doris dorothy joan kathleen elizabeth florence irene edith joyce elsie annie winifred
barbara jean hilda betty vera gladys alice phyllis ivy sheila marjorie lilian violet eileen ethel ellen sarah
evelyn audrey beryl freda nora olive mavis nellie enid muriel peggy agnes marion sylvia patricia june emily
jessie rose constance beatrice ada queenie gwendoline maud bessie millicent mabel daphne hazel muriel brenda
iris rita stella"""
_MIDDLE_WOMEN = """susan linda christine margaret carol jennifer janet patricia barbara ann sandra pamela pauline
jean jacqueline kathleen sheila valerie maureen gillian marilyn julie karen jane helen deborah alison diane
elaine lesley angela tracey sharon wendy lynn denise anne theresa judith frances rosemary heather bridget fiona
amanda nicola caroline sally catherine joanne michelle lisa claire rachel louise samantha dawn marie anita
yvonne geraldine lorraine hilary felicity penelope imogen bronwen sian morag kirsty"""
_YOUNG_WOMEN = """emma sarah laura rebecca jessica charlotte hannah sophie amy emily chloe lauren olivia megan
katie lucy ella grace mia holly eleanor georgia bethany abigail alice molly amelia isabella ruby lily poppy
freya evie daisy phoebe florence isla ava matilda rosie zoe niamh erin maisie elsie willow harriet jasmine
natalie danielle stephanie gemma kayleigh leah paige naomi eva ivy aurora esme thea orla beatrix cara"""

GIVEN: dict[str, dict[str, tuple[str, ...]]] = {
    "british": {
        "male old": tuple(_OLD_MEN.split()),
        "male middle": tuple(_MIDDLE_MEN.split()),
        "male young": tuple(_YOUNG_MEN.split()),
        "female old": tuple(_OLD_WOMEN.split()),
        "female middle": tuple(_MIDDLE_WOMEN.split()),
        "female young": tuple(_YOUNG_WOMEN.split()),
    }
}
_ELSEWHERE = {
    "south_asian": (
        """m
ohammed abdul imran rajesh amit sanjay ali harpreet gurpreet tariq usman bilal ravi vijay arjun kamran nadeem
rakesh suresh dinesh jagdish manjit balbir amarjit iqbal shahid asif farooq zahid rashid naveen pradeep anil
sunil ashok kuldeep surinder mahmood yusuf ibrahim hamza rohan kiran deepak""",
        """fatima aisha priya sunita anjali nasreen shazia kulwinder harjit parveen rukhsana farzana meena lakshmi
        asha geeta usha jaswinder manpreet zainab maryam khadija noor sana amina bushra rubina shabana kavita
        rekha pooja neha nisha deepa jyoti saima tahira yasmin gurdeep baljit samina hafsa""",
        """khan patel singh hussain ahmed begum ali kaur akhtar shah mahmood iqbal malik mistry chaudhry rahman
        islam bibi sharma gill dhillon sidhu sandhu bains grewal desai parmar mehta joshi rao nair reddy gupta
        kapoor chopra miah uddin chowdhury bhatti butt mirza qureshi raja rashid aslam yousaf javed saleem karim
        choudhury amin desh bose sen das pillai iyer menon""",
    ),
    "polish": (
        """piotr krzysztof andrzej tomasz marcin jakub michał paweł łukasz kamil mateusz
    rafał grzegorz stanisław jan zbigniew wojciech dariusz""",
        """anna małgorzata katarzyna agnieszka joanna magdalena zofia ewa monika aleksandra krystyna danuta barbara
        elżbieta jadwiga beata""",
        """nowak kowalski wiśniewski wójcik kowalczyk kamiński lewandowski zieliński szymański woźniak dąbrowski
        kozłowski jankowski mazur krawczyk piotrowski grabowski pawłowski michalski król""",
    ),
    "arab": (
        """mohamed ahmed omar khalid hassan hussein abdullah youssef mustafa said tarek karim samir walid nasser""",
        """fatma layla mariam zahra samira huda salma nadia rania amal hanan noura aziza khadija""",
        """hassan mohamed ibrahim al-hakim haddad mansour saleh nasser khoury rahman abdi warsame osman farah
        abdullahi el-sayed bakr aziz""",
    ),
    "african": (
        """emmanuel chukwuemeka olusegun kwame kofi tunde babatunde ifeanyi samuel daniel
    tendai tafadzwa chidi femi kwabena yaw""",
        """ngozi chioma folake abena akosua blessing grace precious adaeze yetunde funmilayo ama efua rudo tatenda
        chipo""",
        """okafor adeyemi mensah boateng owusu okonkwo adebayo eze nwosu asante osei appiah moyo ncube dube sibanda
        ogunleye afolabi balogun""",
    ),
    "chinese": (
        """wei jun ming hao jie chi kin wai ho lok tsz man kit yu feng""",
        """mei ling xiu yan hui siu wai suet lai ching hoi yee fang li na""",
        """chan wong li lee chen cheung lau zhang wang liu ng leung ho lam tang yip tsang huang lin wu""",
    ),
    "irish": (
        """patrick sean michael liam declan brendan ciaran eoin padraig seamus cormac fergus
    conor martin tommy jimmy paddy""",
        """bridget maureen siobhan aoife niamh deirdre orla sinead roisin mairead philomena noreen kathleen
        margaret nora winnie""",
        """o'brien murphy kelly o'connor ryan walsh doyle mccarthy o'neill byrne gallagher kavanagh doherty maguire
        ward mcdonagh connors delaney stokes cash sweeney joyce""",
    ),
}
_COMMON = """smith jones williams taylor brown davies evans wilson thomas johnson roberts robinson
    thompson wright walker white edwards hughes green hall lewis harris clarke jackson wood turner martin cooper
    hill ward morris moore clark lee king baker harrison morgan allen james scott phillips watson davis parker
    price bennett young griffiths mitchell kelly cook carter richardson bailey collins bell shaw murphy miller
    cox richards khan marshall anderson simpson ellis adams singh begum wilkinson foster chapman powell webb
    rogers gray mason ali hunt hussain campbell matthews owen palmer holmes mills barnes knight lloyd butler
    russell barker fisher stevens jenkins murray dixon harvey graham pearson ahmed fletcher walsh kaur gibson
    howard andrews stewart elliott reynolds saunders payne fox ford pearce day brooks west lawrence cole
    atkinson bradley spencer gill dawson watts burton rose wells reid ball francis hart perry booth newman
    barrett carr armstrong grant webster hunter cunningham robertson ryan hudson harding hawkins lowe kennedy
    marsh black lane riley hayes carpenter bird stone nicholson dean hopkins mccarthy ross porter gardner
    hamilton reed may chambers walters hicks freeman barber bishop coleman griffin wallis burgess parsons
    stephenson crawford goodwin doyle hewitt sutton cross slater norris bates thornton frost lamb newton pope
    steele read franklin hodgson perkins cooke todd morton lucas page osborne fleming nash dale goddard wheeler
    flynn hobbs baxter fuller bond miles leach swift pratt barton haynes farrell rowe holland bull curtis norton
    austin gregory humphreys lambert kirby fowler bryant french"""
_HEADS = """ash black brad brom bur cal chad clay cold cran crow dan den dray east eld farn fen fern gar good green
had hal ham hart hazel hea hol horn hurst kel ken kirk lang lath lin lock long mal mar mel mid mor nether new
nor oak old over pem pen pres rad red ros ruth sand sel shel shir sil stan stock stow sut tarr thorn tilt under
wake wal war wat west whit wid win wood wyn yar"""
_TAILS = """ford ton ham ley well worth wood field bourne brook bury by combe cott croft dale den don gate grave
hill hurst land low man more ridge shaw stead stock stone thorpe ward water way wick"""


def _unique(names: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _made_of_places() -> list[str]:
    """Rarer surnames, which are mostly those of villages; mixed, so that no head or tail is the rarest."""
    pairs = list(product(_HEADS.split(), _TAILS.split()))
    step = 1009  # prime to their number, so that each comes once
    return ["".join(pairs[i * step % len(pairs)]) for i in range(len(pairs))]


FAMILY: dict[str, tuple[str, ...]] = {"british": _unique(_COMMON.split() + _made_of_places())}
for _origin, (_men, _women, _families) in _ELSEWHERE.items():
    GIVEN[_origin] = {
        f"{gender} {age}": tuple(names.split())
        for gender, names in (("male", _men), ("female", _women))
        for age in ("old", "middle", "young")
    }
    FAMILY[_origin] = tuple(_families.split())

# Other ways in which the same name is written in Latin letters, and short forms that dictionaries leave out.
SPELLINGS: tuple[tuple[str, ...], ...] = (
    ("mohammed", "muhammad", "mohamed", "mohammad", "mohd", "md"),
    ("ahmed", "ahmad", "ahmet"),
    ("hussain", "hussein", "husain", "hossain"),
    ("hassan", "hasan"),
    ("yusuf", "yousuf", "yousef", "youssef", "yousaf"),
    ("ibrahim", "ebrahim"),
    ("mahmood", "mahmud", "mehmood"),
    ("rahman", "rehman", "rahmaan"),
    ("chaudhry", "choudhury", "chowdhury", "chaudhary", "choudhry"),
    ("aisha", "ayesha", "aysha"),
    ("fatima", "fatimah", "fatma"),
    ("khadija", "khadijah", "hadija"),
    ("zainab", "zaynab", "zeinab"),
    ("maryam", "mariam", "miriam"),
    ("layla", "leila", "laila"),
    ("omar", "umar", "omer"),
    ("usman", "osman", "uthman"),
    ("khalid", "khaled"),
    ("abdullah", "abdulla", "abdallah"),
    ("abdul", "abdel", "abd"),
    ("said", "saeed", "sayed"),
    ("al-hakim", "alhakim", "hakim"),
    ("el-sayed", "elsayed", "al-sayed"),
    ("begum", "begam"),
    ("uddin", "udin", "ud-din"),
    ("zhang", "cheung"),
    ("chen", "chan"),
    ("wang", "wong"),
    ("li", "lee"),
    ("wu", "ng"),
    ("lin", "lam"),
    ("liu", "lau"),
    ("michał", "michal", "michael"),
    ("paweł", "pawel", "paul"),
    ("łukasz", "lukasz", "lucas"),
    ("małgorzata", "malgorzata", "gosia"),
    ("katarzyna", "kasia"),
    ("agnieszka", "aga"),
    ("elżbieta", "elzbieta"),
    ("wójcik", "wojcik"),
    ("wiśniewski", "wisniewski", "wisniewska"),
    ("kowalski", "kowalska"),
    ("kamiński", "kaminski", "kaminska"),
    ("zieliński", "zielinski", "zielinska"),
    ("o'brien", "obrien", "o brien"),
    ("o'connor", "oconnor", "connor"),
    ("o'neill", "oneill", "o'neil"),
    ("mcdonagh", "macdonagh", "mc donagh"),
    ("sean", "shaun", "shawn"),
    ("siobhan", "shevaun", "siobhán"),
    ("catherine", "katherine", "kathryn", "cathryn"),
    ("stephen", "steven"),
    ("geoffrey", "jeffrey"),
    ("alan", "allan", "allen"),
    ("philip", "phillip"),
    ("graham", "graeme"),
    ("ann", "anne", "anna"),
    ("sheila", "shelagh"),
    ("tracey", "tracy"),
    ("clarke", "clark"),
    ("davies", "davis"),
    ("phillips", "philips"),
    ("reid", "reed", "read"),
)
