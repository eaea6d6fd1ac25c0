"""What events carry, as types for a checker: `Event.payload` of an event of each type.

The names are those of Symphony's agent API without ``V4``. ::

    from symphony_datafeed.payloads import MessageSent

    if event.type == "MESSAGESENT":
        sent: MessageSent = event.payload
        print(sent["message"]["message"])

At run time these are plain dictionaries, as parsed from the JSON. The service may leave any member out, send it as
null, and send others: use ``get`` for what is not sure to be there.
"""

from __future__ import annotations

from typing import Any, Literal, Optional, TypedDict


class User(TypedDict, total=False):
    """Somebody, or a bot."""

    userId: int
    firstName: str
    lastName: str
    displayName: str
    email: str
    username: str
    """For users of the same pod only."""


class Stream(TypedDict, total=False):
    """A conversation."""

    streamId: str
    streamType: str
    """``IM``, ``MIM``, ``ROOM`` or ``POST``."""
    roomName: str
    members: list[User]
    """When an instant message is created."""
    external: bool
    crossPod: bool
    recipientTenantIds: list[int]


class Thumbnail(TypedDict, total=False):
    """A small version of an image."""

    id: str
    dimension: str


class Attachment(TypedDict, total=False):
    """A file of a message."""

    id: str
    name: str
    size: int
    images: list[Thumbnail]


class Message(TypedDict, total=False):
    """A message."""

    messageId: str
    parentMessageId: str
    timestamp: int
    """Milliseconds since 1970."""
    message: str
    """The text in PresentationML."""
    sharedMessage: Message
    data: str
    """The objects in the text, as EntityJSON."""
    attachments: list[Attachment]
    user: User
    stream: Stream
    externalRecipients: bool
    diagnostic: str
    userAgent: str
    originalFormat: str
    disclaimer: str
    sid: str
    replacing: str
    replacedBy: str
    initialTimestamp: int
    initialMessageId: str
    silent: bool


class KeyValuePair(TypedDict, total=False):
    """A keyword of a room."""

    key: str
    value: str


class RoomProperties(TypedDict, total=False):
    """What a room is like."""

    name: str
    description: str
    creatorUser: User
    createdDate: int
    """Milliseconds since 1970."""
    external: bool
    crossPod: bool
    public: bool
    copyProtected: bool
    readOnly: bool
    discoverable: bool
    membersCanInvite: bool
    keywords: list[KeyValuePair]
    canViewHistory: bool


class MessageSent(TypedDict, total=False):
    """``MESSAGESENT``: somebody has written."""

    message: Message


class SharedPost(TypedDict, total=False):
    """``SHAREDPOST``: a post of a wall was shared."""

    message: Message
    sharedMessage: Message


class InstantMessageCreated(TypedDict, total=False):
    """``INSTANTMESSAGECREATED``: a conversation of a few was opened."""

    stream: Stream


class RoomCreated(TypedDict, total=False):
    """``ROOMCREATED``."""

    stream: Stream
    roomProperties: RoomProperties


class RoomUpdated(TypedDict, total=False):
    """``ROOMUPDATED``: a room's properties were changed."""

    stream: Stream
    newRoomProperties: RoomProperties


class RoomDeactivated(TypedDict, total=False):
    """``ROOMDEACTIVATED``."""

    stream: Stream


class RoomReactivated(TypedDict, total=False):
    """``ROOMREACTIVATED``."""

    stream: Stream


class UserJoinedRoom(TypedDict, total=False):
    """``USERJOINEDROOM``."""

    stream: Stream
    affectedUser: User


class UserLeftRoom(TypedDict, total=False):
    """``USERLEFTROOM``."""

    stream: Stream
    affectedUser: User


class UserRequestedToJoinRoom(TypedDict, total=False):
    """``USERREQUESTEDTOJOINROOM``: `affectedUsers` are the owners, who can let the initiator in."""

    stream: Stream
    affectedUsers: list[User]


class RoomMemberPromotedToOwner(TypedDict, total=False):
    """``ROOMMEMBERPROMOTEDTOOWNER``."""

    stream: Stream
    affectedUser: User


class RoomMemberDemotedFromOwner(TypedDict, total=False):
    """``ROOMMEMBERDEMOTEDFROMOWNER``."""

    stream: Stream
    affectedUser: User


class ConnectionRequested(TypedDict, total=False):
    """``CONNECTIONREQUESTED``: the initiator asks for a connection with another user."""

    toUser: User


class ConnectionAccepted(TypedDict, total=False):
    """``CONNECTIONACCEPTED``: the initiator agrees to what another user asked for."""

    fromUser: User


class MessageSuppressed(TypedDict, total=False):
    """``MESSAGESUPPRESSED``: a message was taken from everybody's sight."""

    messageId: str
    stream: Stream


class SymphonyElementsAction(TypedDict, total=False):
    """``SYMPHONYELEMENTSACTION``: somebody has filled in a form."""

    stream: Stream
    formMessageId: str
    formId: str
    formValues: dict[str, Any]
    """By the names of the form's elements; ``action`` is the button."""


class GenericSystemEvent(TypedDict, total=False):
    """``GENERICSYSTEMEVENT``: something of another system."""

    stream: Stream
    eventTimestamp: int
    """Milliseconds since 1970."""
    sourceSystem: str
    eventSubtype: str
    parameters: dict[str, Any]


# A name that cannot stand in a class.
_Since = TypedDict("_Since", {"from": Optional[int]}, total=False)


class DatafeedGap(_Since, total=False):
    """``DATAFEEDGAP``: events may have been missed. It is the library's own, and Symphony sends none.

    ``gap["from"]`` is since when, in milliseconds since 1970, or `None` when that is not known.
    """

    to: int
    """Nothing is missed that was published after this."""
    reason: Literal["ANSWER_LOST", "FEED_GONE", "FEED_REFUSED", "NODE_GONE", "STATE_LOST"]
    feedId: str  # noqa: N815 - the linter does not see that this is a TypedDict, too
    """The feed that is read from now on."""
